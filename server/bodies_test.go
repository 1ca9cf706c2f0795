package server_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

const mebi = 1 << 20

// slowBody is a body of which one byte comes each time that it is asked for.
type slowBody struct {
	every time.Duration
	asked func() // the first time
	first bool
}

func (b *slowBody) Read(p []byte) (int, error) {
	if !b.first {
		b.first = true
		b.asked()
	}
	time.Sleep(b.every)
	p[0] = ' '
	return 1, nil
}

// A holder whose bodies hardly move does not keep others from sending theirs, and is ended.
func TestBodiesOfOneHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bodies := server.NewBodies()
		read := func(holder, size int64, body io.Reader) error {
			r := httptest.NewRequest("POST", "/", body)
			r.ContentLength = size
			_, release, err := bodies.Read(httptest.NewRecorder(), r, holder, 48*mebi)
			release()
			return err
		}
		ended := make(chan error, 4)
		var begun atomic.Int64
		for range 4 { // of which half have to wait
			go func() {
				ended <- read(1, 48*mebi, &slowBody{every: time.Second, asked: func() { begun.Add(1) }})
			}()
		}
		synctest.Wait()
		if n := begun.Load(); n != 2 {
			t.Errorf("%d bodies of one holder are read at once, want 2", n)
		}
		began := time.Now()
		if err := read(2, 48*mebi, strings.NewReader(strings.Repeat("x", 48*mebi))); err != nil {
			t.Errorf("another holder: %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("another holder waited for %v", took)
		}
		for range 4 {
			if err := <-ended; !errors.Is(err, server.ErrSlowBody) {
				t.Errorf("a slow body ended with %v", err)
			}
		}
		if took := time.Since(began); took > 3*time.Minute {
			t.Errorf("the slow bodies ended after %v", took)
		}
		if err := read(1, 48*mebi, strings.NewReader(strings.Repeat("x", 48*mebi))); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestBodiesHaveLimits(t *testing.T) {
	bodies := server.NewBodies()
	for _, tt := range []struct {
		size  int // of the body
		known bool
		limit int64
		want  error
	}{
		{0, true, 10, nil}, {10, true, 10, nil}, {11, true, 10, server.ErrTooLarge}, {11, false, 10, server.ErrTooLarge},
		{3 * mebi, true, 3 * mebi, nil}, {3 * mebi, false, 3 * mebi, nil}, {3*mebi + 1, false, 3 * mebi, server.ErrTooLarge},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", tt.size)))
		if !tt.known {
			r.ContentLength = -1
		}
		body, release, err := bodies.Read(httptest.NewRecorder(), r, 1, tt.limit)
		release()
		if !errors.Is(err, tt.want) || err == nil && len(body) != tt.size {
			t.Errorf("%+v: %d bytes, %v", tt, len(body), err)
		}
	}
}

func TestJSONValues(t *testing.T) {
	for text, want := range map[string]int{
		``: 0, `"a,b"`: 0, `"a\",["`: 0, `"\\",`: 1, `[]`: 1, `[1,2]`: 2, `{"a":[{},{}],"b":","}`: 6, `"`: 0, `"\`: 0,
	} {
		if got := server.JSONValues([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

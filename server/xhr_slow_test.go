package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

// dawdler is a client whose body does not come before the deadline.
type dawdler struct {
	*httptest.ResponseRecorder
	deadline time.Time
	read     bool
}

var errLate = errors.New("the deadline is over")

func (d *dawdler) SetReadDeadline(at time.Time) error {
	d.deadline = at
	return nil
}

func (d *dawdler) Read([]byte) (int, error) {
	d.read = true
	if d.deadline.IsZero() {
		return 0, errors.New("it would never end")
	}
	time.Sleep(time.Until(d.deadline))
	return 0, errLate
}

// The server waits 30 s for a body, and does not read at all the body of a request for
// an unknown session.
func TestXHRSlowBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{Absence: time.Hour})
		defer h.stop()
		h.receiving("/a/xhr").says(t, "o\n", "")
		for path, want := range map[string]struct {
			status int
			took   time.Duration
		}{
			"/a/xhr_send":      {http.StatusBadRequest, 30 * time.Second},
			"/a/xhr":           {http.StatusBadRequest, 30 * time.Second},
			"/b/xhr_streaming": {http.StatusBadRequest, 30 * time.Second},
			"/b/xhr_send":      {http.StatusNotFound, 0},
		} {
			d, began := &dawdler{ResponseRecorder: httptest.NewRecorder()}, time.Now()
			r := httptest.NewRequestWithContext(context.Background(), "POST", path, io.NopCloser(d))
			r.ContentLength = 1000
			h.ServeHTTP(d, r)
			if took := time.Since(began); d.Code != want.status || took != want.took || d.read != (took > 0) {
				t.Errorf("%s: %d after %v, read %v, want %d after %v", path, d.Code, took, d.read, want.status, want.took)
			}
		}
	})
}

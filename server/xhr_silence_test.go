package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

// answer is a response in memory, so that the whole test follows synctest's clock.
type answer struct {
	*io.PipeWriter
	header http.Header
}

func (a *answer) Header() http.Header { return a.header }
func (a *answer) WriteHeader(int)     {}
func (a *answer) Flush()              {}

// receiving is a request of a client that reads everything.
type receiving struct {
	leave context.CancelFunc
	came  chan string // each write; closed at the end
}

func (h *xhrHost) receiving(path string) *receiving {
	ctx, leave := context.WithCancel(context.Background())
	out, in := io.Pipe()
	r := &receiving{leave: leave, came: make(chan string, 1000)}
	go func() {
		h.ServeHTTP(&answer{in, http.Header{}}, httptest.NewRequestWithContext(ctx, "POST", path, http.NoBody))
		in.Close()
		leave()
	}()
	go func() {
		defer close(r.came)
		buf := make([]byte, 64<<10)
		for {
			n, err := out.Read(buf)
			if err != nil {
				return
			}
			r.came <- strings.TrimPrefix(string(buf[:n]), strings.Repeat("h", 2048)+"\n")
		}
	}()
	return r
}

// says expects what was written at this moment of synctest's clock.
func (r *receiving) says(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	for _, w := range want {
		select {
		case got, ok := <-r.came:
			if got != w || ok != (w != "") {
				t.Fatalf("there came %q, want %q", got, w)
			}
		default:
			t.Fatalf("nothing came, want %q", w)
		}
	}
	select {
	case got, ok := <-r.came:
		if ok {
			t.Fatalf("there came %q too", got)
		}
	default:
	}
}

func (h *xhrHost) sends(path, body string, status int) {
	h.t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), "POST", path, strings.NewReader(body)))
	if rec.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", path, body, rec.Code, rec.Body, status)
	}
}

// A silent stream gets heartbeats, which its client answers, so it goes on forever. If
// a heartbeat is not answered, the dialect asks, and then the session is closed.
func TestXHRHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{})
		defer h.stop()
		s := h.receiving("/a/xhr_streaming")
		s.says(t, "o\n")
		for range 20 { // 500 s
			time.Sleep(24 * time.Second)
			s.says(t)
			time.Sleep(time.Second)
			s.says(t, "h\n")
			h.sends("/a/xhr_send", "[]", 204)
		}
		time.Sleep(20 * time.Second)
		h.sends("/a/xhr_send", `["x"]`, 204)
		s.says(t, "a[\"x\"]\n")
		time.Sleep(20 * time.Second) // not silent for 25 s
		s.says(t)
		time.Sleep(6 * time.Second)
		s.says(t, "h\n")
		for range 3 {
			time.Sleep(25 * time.Second)
			s.says(t, "h\n")
		}
		time.Sleep(20 * time.Second)
		s.says(t, "a[\"still there?\"]\n") // 120 s after the last message
		time.Sleep(25 * time.Second)
		s.says(t, "h\n")
		time.Sleep(5 * time.Second)
		s.says(t, "a[\"bye: silent\"]\nc[4100,\"silent\"]\n", "")
		if r := <-h.closed; r != server.Silent {
			t.Errorf("ended as %s", r)
		}
	})
}

// A waiting poll ends with a heartbeat before proxies cut it; the next poll is the
// answer to the heartbeat.
func TestXHRPollHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{})
		defer h.stop()
		h.receiving("/a/xhr").says(t, "o\n", "")
		for range 20 { // 500 s
			p := h.receiving("/a/xhr")
			time.Sleep(24 * time.Second)
			p.says(t)
			time.Sleep(time.Second)
			p.says(t, "h\n", "")
		}
		p := h.receiving("/a/xhr")
		synctest.Wait()
		h.sends("/a/xhr_send", "[]", 204) // pusher-js asks for a sign of life
		p.says(t, "h\n", "")
	})
}

// Between two requests a client may be away for 5 s, and frames that come meanwhile
// wait for it.
func TestXHRAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{})
		defer h.stop()
		h.receiving("/a/xhr").says(t, "o\n", "")
		session := <-h.sessions
		time.Sleep(4 * time.Second)
		session.Queue(text("meanwhile"))
		h.receiving("/a/xhr").says(t, "a[\"meanwhile\"]\n", "")
		time.Sleep(4 * time.Second)
		if st := h.Stats(); st.Open != 1 {
			t.Fatalf("after 4 s there are %+v", st)
		}
		h.sends("/a/xhr_send", "[]", 204) // not a receiving request: it does not count
		time.Sleep(2 * time.Second)
		synctest.Wait()
		select {
		case r := <-h.closed:
			if r != server.PeerGone {
				t.Errorf("ended as %s", r)
			}
		default:
			t.Error("after 6 s it is still open")
		}
		h.sends("/a/xhr_send", "[]", 404)
		h.receiving("/a/xhr").says(t, "o\n", "") // the client sees that its session is lost
	})
}

// A client that leaves while an answer goes on is gone at once. While the server stops,
// it gives up the request itself, and the client gets the close message.
func TestXHRLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{DrainWindow: 3 * time.Second})
		s := h.receiving("/a/xhr_streaming")
		s.says(t, "o\n")
		s.leave()
		synctest.Wait()
		if r := <-h.closed; r != server.PeerGone {
			t.Errorf("ended as %s", r)
		}
		var late []*receiving
		for _, path := range []string{"/b/xhr_streaming", "/c/xhr_streaming", "/d/xhr_streaming"} {
			r := h.receiving(path)
			r.says(t, "o\n")
			late = append(late, r)
		}
		stopped := make(chan struct{})
		go func() { h.stop(); close(stopped) }()
		synctest.Wait()
		for _, r := range late {
			r.leave()
		}
		for _, r := range late {
			r.says(t, "a[\"bye: stopping\"]\nc[4100,\"stopping\"]\n", "")
		}
		<-stopped
	})
}

// stuck is a response that accepts nothing in time.
type stuck struct{ *httptest.ResponseRecorder }

var errStuck = errors.New("stuck")

func (stuck) Write([]byte) (int, error) { return 0, errStuck }

func TestXHRUnwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{})
		defer h.stop()
		h.ServeHTTP(stuck{httptest.NewRecorder()}, httptest.NewRequestWithContext(t.Context(), "POST", "/a/xhr", http.NoBody))
		if r := <-h.closed; r != server.PeerGone {
			t.Errorf("ended as %s", r)
		}
		h.sends("/a/xhr_send", "[]", 404)
	})
}

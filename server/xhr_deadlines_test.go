package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// The deadlines of the HTTP server are for answers that end: a stream outlives them,
// over HTTP/1.1 and HTTP/2, and leaves the connection as it was.
func TestXHROutlivesDeadlines(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			const limit = 4 * time.Second // also for each request, on a busy machine
			h := runXHR(t, server.Options{Heartbeat: 25 * time.Millisecond, Absence: time.Minute, WriteTimeout: limit})
			web := httptest.NewUnstartedServer(h)
			web.Config.ReadTimeout, web.Config.WriteTimeout = limit, limit
			web.EnableHTTP2 = proto == "HTTP/2.0"
			web.StartTLS()
			t.Cleanup(func() { h.stop(); web.Close() })
			client := web.Client()
			client.Timeout = testwait.Long
			ask := func(path, body string) (res *http.Response) {
				res, err := client.Post(web.URL+path, "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = res.Body.Close() })
				return res
			}
			res := ask("/a/xhr_streaming", "")
			if res.Proto != proto {
				t.Fatalf("it speaks %s", res.Proto)
			}
			session := receive(t, h.sessions, "session")
			began, seen := time.Now(), ""
			for buf := make([]byte, 4096); time.Since(began) < 3*limit/2; {
				n, err := res.Body.Read(buf)
				if seen += string(buf[:n]); err != nil {
					t.Fatalf("after %v and %q: %v", time.Since(began), seen[min(2049, len(seen)):], err)
				}
			}
			if !strings.Contains(seen, "\no\nh\nh\n") {
				t.Errorf("there came %q", seen)
			}
			if got := ask("/a/xhr_send", `["x"]`).StatusCode; got != http.StatusNoContent {
				t.Errorf("sending: %d", got)
			}
			session.Close(server.Disconnect{Reason: "told", Code: 4200, Message: "bye"})
			rest, err := io.ReadAll(res.Body)
			if said := strings.ReplaceAll(string(rest), "h\n", ""); err != nil || !strings.HasSuffix(said, "a[\"x\"]\nc[4200,\"bye\"]\n") { // heartbeats may come at any time
				t.Errorf("it ends with %q, %v", rest, err)
			}
			began = time.Now()
			for i := 0; time.Since(began) < 5*limit/4; i++ { // polls on one connection, for longer than a leftover deadline
				body, err := io.ReadAll(ask("/b/xhr", "").Body)
				if want := map[bool]string{true: "o\n", false: "h\n"}[i == 0]; err != nil || string(body) != want {
					t.Fatalf("poll %d: %q, %v", i, body, err)
				}
			}
			receive(t, h.sessions, "session").Close(server.Disconnect{Reason: server.PeerGone})
		})
	}
}

// A stream may be silent for longer than a write may take.
func TestXHRSilentStream(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			const limit = 4 * time.Second // also for the handshake of TLS, on a busy machine
			h := runXHR(t, server.Options{Heartbeat: 5 * limit / 4, Absence: time.Minute, WriteTimeout: limit})
			web := httptest.NewUnstartedServer(h)
			web.Config.WriteTimeout = limit
			web.EnableHTTP2 = proto == "HTTP/2.0"
			web.StartTLS()
			t.Cleanup(func() { h.stop(); web.Close() })
			client := web.Client()
			client.Timeout = testwait.Long
			res, err := client.Post(web.URL+"/a/xhr_streaming", "", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for seen, buf := "", make([]byte, 4096); !strings.HasSuffix(seen, "\no\nh\nh\n"); {
				n, err := res.Body.Read(buf)
				if seen += string(buf[:n]); err != nil {
					t.Fatalf("the stream ends after %q: %v", seen[min(2049, len(seen)):], err)
				}
			}
		})
	}
}

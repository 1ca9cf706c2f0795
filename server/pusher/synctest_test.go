package pusher_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// inBubble runs test with a harness whose sockets are connections in memory, so that
// the whole test follows synctest's clock.
func inBubble(t *testing.T, test func(t *testing.T, h *harness, connect func() *raw), change ...func(*setup)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, g, stop := build(t, change...)
		h.web, h.stop = g, stop
		defer stop()
		test(t, h, func() *raw {
			t.Helper()
			near, far := net.Pipe()
			go func() {
				if r, err := http.ReadRequest(bufio.NewReader(near)); err == nil {
					g.ServeHTTP(pipe{httptest.NewRecorder(), near}, r)
				}
			}()
			dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return far, nil }}
			ws, _, err := dialer.Dial("ws://x"+connectPath, nil)
			if err != nil {
				t.Fatal(err)
			}
			return (&raw{t: t, ws: ws, wait: time.Hour}).greeted()
		})
	})
}

// pipe hijacks to one end of a connection in memory.
type pipe struct {
	http.ResponseWriter
	end net.Conn
}

func (p pipe) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.end, bufio.NewReadWriter(bufio.NewReader(p.end), bufio.NewWriter(p.end)), nil
}

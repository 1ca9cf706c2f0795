package server_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"chatcast/server"
)

// severed is a connection that breaks at the first write, after calling writing.
type severed struct {
	net.Conn
	writing func()
}

func (c severed) Write([]byte) (int, error) {
	c.writing()
	return 0, net.ErrClosed
}

// severing is a ResponseWriter that hijacks to a severed connection.
type severing struct {
	http.ResponseWriter
	writing func()
}

func (s severing) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return severed{nc, s.writing}, brw, nil
}

// A client that has the response to its handshake is in the list of sockets. If it has
// left by then, nothing of it stays behind, neither in the list nor in the count of its
// address.
func TestListedBeforeItIsAnswered(t *testing.T) {
	s := server.New(server.Options{PerAddress: 1})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	reasons := make(chan server.Reason, 1)
	accepted := make(chan error, 1)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		listed := func() {
			if st := s.Stats(); st.Open != 1 || len(s.Connz()) != 1 {
				t.Errorf("answered before it was listed: %+v", st)
			}
		}
		accepted <- s.Accept(severing{w, listed}, r, "198.51.100.7", func(session *server.Session) server.Handler {
			session.Queue(text("welcome"))
			return &echo{session, reasons}
		})
	}))
	defer front.Close()
	nc, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	const handshake = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if _, err := nc.Write([]byte(handshake)); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, accepted, "answer of Accept"); err != nil {
		t.Fatalf("Accept: %v", err)
	}
	if r := receive(t, reasons, "end"); r != server.PeerGone {
		t.Errorf("ended as %s", r)
	}
	until(t, "end of the socket", func() bool { return s.Stats().Open == 0 })
	if st := s.Stats(); len(s.Connz()) != 0 || st.Accepted != 1 || st.Ended[server.PeerGone] != 1 {
		t.Errorf("what stays: %+v, %d sockets listed", st, len(s.Connz()))
	}
	h := &host{Server: s, sessions: make(chan *server.Session, 1), closed: make(chan server.Reason, 1)}
	h.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = s.Accept(w, r, "198.51.100.7", func(session *server.Session) server.Handler { return &echo{session, h.closed} })
	}))
	defer h.http.Close()
	ws := h.dial(t)
	if err := ws.WriteMessage(1, []byte("me")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, ws); got != "me" {
		t.Errorf("the address still counts the one that is gone: %s", got)
	}
	_ = ws.Close()
	receive(t, h.closed, "end")
	cancel()
	if err := receive(t, ended, "end of Run"); err != nil {
		t.Error(err)
	}
}

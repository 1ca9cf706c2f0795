package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/server"
)

// paced is a dialect that lets messages wait.
type paced struct {
	server.Handler
	pause time.Duration
}

func (p paced) Pause() time.Duration { return p.pause }

// hijacked hands out one end of a connection in memory.
type hijacked struct {
	http.ResponseWriter
	end net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.end, bufio.NewReadWriter(bufio.NewReader(h.end), bufio.NewWriter(h.end)), nil
}

// dialPaced opens a socket in memory to a server of paced echoes.
func dialPaced(t *testing.T, o server.Options, pause time.Duration) (ws *websocket.Conn, stop func()) {
	t.Helper()
	srv := server.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	near, far := net.Pipe()
	go func() {
		r, err := http.ReadRequest(bufio.NewReader(near))
		if err != nil {
			t.Error(err)
			return
		}
		_ = srv.Accept(hijacked{httptest.NewRecorder(), near}, r, "198.51.100.7", func(s *server.Session) server.Handler {
			return paced{&echo{s, make(chan server.Reason, 1)}, pause}
		})
	}()
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return far, nil }}
	ws, _, err := dialer.Dial("ws://x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return ws, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// TestPacedSocket: messages that came at once are handled one after the other. While they
// wait the client is not taken for dead, although it does not answer pings, and it gets
// signs of life, because its own pings wait too. Then it is a silent client like others.
func TestPacedSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws, stop := dialPaced(t, server.Options{ActivityTimeout: 2 * time.Second, PongTimeout: 2 * time.Second}, time.Second)
		defer stop()
		defer ws.Close()
		began, pongs := time.Now(), 0
		ws.SetPingHandler(func(string) error { return nil })
		ws.SetPongHandler(func(string) error { pongs++; return nil })
		const messages = 40
		var all []byte
		for i := range messages {
			all = append(all, 0x81, 0x83, 0, 0, 0, 0, 'm', byte('0'+i/10), byte('0'+i%10))
		}
		if _, err := ws.NetConn().Write(all); err != nil {
			t.Fatal(err)
		}
		got, _, reason := readClose(t, ws)
		var want []string
		for i := range messages {
			want = append(want, fmt.Sprintf("m%02d", i))
			if i > 0 && i%10 == 0 {
				want = append(want, "still there?")
			}
		}
		for len(got) > 0 && got[len(got)-1] != want[len(want)-1] { // what the dialect says to a silent client
			got = got[:len(got)-1]
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || pongs != 3 {
			t.Errorf("there came %q and %d pongs, want %q and 3", got, pongs, want)
		}
		if d := time.Since(began); reason != "silent" || d < messages*time.Second || d > (messages+6)*time.Second {
			t.Errorf("closed after %s: %s", d, reason)
		}
	})
}

// TestPacedSocketCloses: a socket whose messages wait closes like any other.
func TestPacedSocketCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws, stop := dialPaced(t, server.Options{}, time.Second)
		defer ws.Close()
		go func() {
			for i := 0; ws.WriteMessage(websocket.TextMessage, []byte(strconv.Itoa(i))) == nil; i++ {
			}
		}()
		read(t, ws)
		began := time.Now()
		go func() {
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					_ = ws.Close()
					return
				}
			}
		}()
		stop()
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("the server took %s to stop", d)
		}
	})
}

// TestPacedRequests: sending requests wait for their turn, all are handled, and the
// client is not absent meanwhile, because a browser has no connection left for a
// receiving request.
func TestPacedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{})
		defer h.stop()
		h.pause = time.Second
		h.receiving("/a/xhr").says(t, "o\n", "")
		var sending sync.WaitGroup
		for range 20 {
			sending.Go(func() { h.sends("/a/xhr_send", `["x"]`, 204) })
		}
		began := time.Now()
		sending.Wait()
		if d := time.Since(began); d != 20*time.Second {
			t.Errorf("20 messages took %s", d)
		}
		time.Sleep(4 * time.Second) // a client that polls may be away for 5 s
		want := "a[" + strings.TrimSuffix(strings.Repeat(`"x",`, 10), ",") + `,"x","still there?"` + strings.Repeat(`,"x"`, 9) + "]\n"
		h.receiving("/a/xhr").says(t, want, "")
	})
}

// TestPacedRequestsAreBounded: a session whose requests fill the memory ends, and so do
// its requests.
func TestPacedRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runXHR(t, server.Options{QueueBytes: 8 << 10})
		defer h.stop()
		h.pause = time.Second
		h.receiving("/a/xhr").says(t, "o\n", "")
		statuses := make(chan int, 20)
		for range 20 {
			go func() {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), "POST", "/a/xhr_send", strings.NewReader(`["x"]`)))
				statuses <- rec.Code
			}()
		}
		began := time.Now()
		refused := 0
		for range 20 {
			if <-statuses == http.StatusNotFound {
				refused++
			}
		}
		if d := time.Since(began); d > time.Second || refused < 18 {
			t.Errorf("after %s %d of 20 requests were refused", d, refused)
		}
		if r := <-h.closed; r != server.Flood {
			t.Errorf("the session ended as %s", r)
		}
	})
}

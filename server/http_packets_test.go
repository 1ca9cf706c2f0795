package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

// withPackets runs a test under synctest's clock.
func withPackets(t *testing.T, o server.Options, test func(t *testing.T, h *packetHost)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := startPackets(t, o)
		defer h.stop()
		test(t, h)
	})
}

func TestPacketsAreQueuedAndPolled(t *testing.T) {
	withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
		h.same(h.get("/a"), unknown) // without new, no session begins
		session := h.open("a")
		h.same(h.post("/a", "4one\x1e4t\"wü\x1e3\x1e4three"), "200 ok")
		h.same(h.get("/a"), "200 4one\x1e4t\"wü\x1e4three")
		answer := h.poll("/a")
		session.Queue(text("4at once"))
		h.same(<-answer, "200 4at once")
		for _, m := range []string{"4these", "4wait"} {
			session.Queue(text(m))
		}
		h.same(h.get("/a"), "200 4these\x1e4wait")
		if c := h.Connz(); len(c) != 1 || c[0].Transport != "polling" || c[0].ID != "echo" || c[0].QueuedBytes != 0 {
			t.Errorf("the session is listed as %+v", c)
		}
	})
}

// The same over a connection, where headers are read and a client can leave.
func TestPacketsOverTCP(t *testing.T) {
	h := startPackets(t, server.Options{Absence: time.Minute})
	web := httptest.NewServer(h)
	t.Cleanup(func() { h.stop(); web.Close() })
	ask := func(ctx context.Context, method, path, body string) (res *http.Response, err error) {
		req, err := http.NewRequestWithContext(ctx, method, web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return http.DefaultClient.Do(req)
	}
	for _, c := range []struct{ method, path, body, want, kind string }{
		{"GET", "/a?new", "", `0{"sid":"a"}`, "text/plain; charset=UTF-8"},
		{"POST", "/a", "4one", "ok", "text/html"},
		{"GET", "/a", "", "4one", "text/plain; charset=UTF-8"},
		{"GET", "/b", "", "{\"code\":1}\n", "application/json"},
	} {
		res, err := ask(t.Context(), c.method, c.path, c.body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || string(got) != c.want || res.Header.Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %q %v, %v", c.method, c.path, got, res.Header, err)
		}
		_ = res.Body.Close()
	}
	ctx, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer leave()
	if res, err := ask(ctx, "GET", "/a", ""); err == nil {
		t.Errorf("a poll with nothing to say is answered %d", res.StatusCode)
	}
	if r := receive(t, h.closed, "end"); r != server.PeerGone {
		t.Errorf("ended as %s", r)
	}
	until(t, "end of the session", func() bool { return h.Stats().Open == 0 })
}

// A ping is sent 25 s after the last answer, whatever else is sent.
func TestPacketsPing(t *testing.T) {
	withPackets(t, server.Options{Absence: time.Hour}, func(t *testing.T, h *packetHost) {
		session := h.open("a")
		for range 10 {
			answer := h.poll("/a")
			time.Sleep(20 * time.Second)
			session.Queue(text("4news"))
			h.same(<-answer, "200 4news")
			answer = h.poll("/a")
			time.Sleep(4 * time.Second)
			select {
			case got := <-answer:
				t.Fatalf("after 24 s came %q", got)
			default:
			}
			time.Sleep(2 * time.Second)
			h.same(<-answer, "200 2")
			h.same(h.post("/a", "3"), "200 ok")
		}
		// A ping that is due between two requests is sent with the waiting frames.
		time.Sleep(20 * time.Second)
		session.Queue(text("4waits"))
		time.Sleep(7 * time.Second)
		h.same(h.get("/a"), "200 4waits\x1e2")
		// After a ping that neither a pong nor a request answers, the session ends.
		answer := h.poll("/a")
		time.Sleep(26 * time.Second)
		h.same(<-answer, "200 2")
		time.Sleep(29 * time.Second)
		if st := h.Stats(); st.Open != 1 {
			t.Fatalf("29 s after the ping there are %+v", st)
		}
		time.Sleep(4 * time.Second)
		h.ends("/a", server.Silent)
	})
}

func TestPacketsClientCloses(t *testing.T) {
	withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
		h.open("a")
		answer := h.poll("/a")
		h.same(h.post("/a", "4unread\x1e1\x1e4too late"), "200 ok")
		if got := <-answer; got != "200 6" && got != "200 4unread" {
			t.Errorf("the poll is answered %q", got)
		}
		h.ends("/a", server.PeerClosed)
		h.open("b")
		h.same(h.post("/b", "1"), "200 ok") // no poll is waiting
		h.ends("/b", server.PeerClosed)
	})
}

// A client that violates a strict codec loses its session.
func TestPacketsAreStrict(t *testing.T) {
	for body, want := range map[string]struct {
		answer string
		reason server.Reason
	}{
		"abc":                          {invalid, server.ProtocolError},
		"":                             {invalid, server.ProtocolError},
		"4a\x1e":                       {invalid, server.ProtocolError},
		"2":                            {invalid, server.ProtocolError},
		"4\xff":                        {invalid, server.ProtocolError},
		strings.Repeat("x", 1001):      {large, server.TooLarge},
		"4" + strings.Repeat("x", 500): {large, server.TooLarge},
	} {
		t.Run(fmt.Sprintf("%.10q", body), func(t *testing.T) {
			withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
				h.open("a")
				answer := h.poll("/a")
				h.same(h.post("/a", body), want.answer)
				h.same(<-answer, "200 1")
				h.ends("/a", want.reason)
			})
		})
	}
	t.Run("limits", func(t *testing.T) {
		withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
			h.open("a")
			most := "4" + strings.Repeat("x", 499)
			h.same(h.post("/a", most+separator+most[:499]), "200 ok") // 1000 bytes
			h.same(h.get("/a"), "200 "+most+separator+most[:499])
		})
	})
	t.Run("polls overlap", func(t *testing.T) {
		withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
			h.open("a")
			first := h.poll("/a")
			h.same(h.get("/a"), invalid)
			h.same(<-first, "200 1")
			h.same(h.get("/a"), unknown) // the client is told once
			h.ends("/a", server.ProtocolError)
		})
	})
	t.Run("sending requests overlap", func(t *testing.T) {
		withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
			h.open("a")
			body, rest := io.Pipe()
			first := make(chan string, 1)
			go func() { first <- h.ask("POST", "/a", body) }()
			_, _ = io.WriteString(rest, "4on")
			synctest.Wait()
			h.same(h.post("/a", "4two"), invalid)
			_, _ = io.WriteString(rest, "e")
			_ = rest.Close()
			h.same(<-first, unknown)
			h.ends("/a", server.ProtocolError)
		})
	})
}

func TestPacketsSlowConsumer(t *testing.T) {
	withPackets(t, server.Options{QueueBytes: 1000}, func(t *testing.T, h *packetHost) {
		session := h.open("a")
		most := "4" + strings.Repeat("x", 2000)
		session.Queue(text(most)) // an empty queue accepts it
		h.same(h.get("/a"), "200 "+most)
		for range 12 {
			session.Queue(text("4" + strings.Repeat("x", 97)))
		}
		h.same(h.get("/a"), "200 4bye: slow_consumer\x1e1")
		h.ends("/a", server.SlowConsumer)
	})
}

func TestPacketsAbsence(t *testing.T) {
	withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
		h.open("a")
		time.Sleep(6 * time.Second)
		h.ends("/a", server.PeerGone)
	})
}

func TestPacketsDrain(t *testing.T) {
	withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
		session := h.open("a")
		answer := h.poll("/a")
		h.open("between").Queue(text("4waits"))
		stopped := make(chan struct{})
		go func() { h.stop(); close(stopped) }()
		h.same(<-answer, "200 4bye: stopping\x1e1")
		synctest.Wait()
		h.same(h.get("/new?new"), "200 0{\"sid\":\"new\"}\x1e4bye: stopping\x1e1") // as long as sockets are left
		h.ends("/new", server.Stopping)
		h.same(h.get("/between"), "200 4waits\x1e4bye: stopping\x1e1")
		session.Queue(text("4too late"))
		<-stopped
		h.same(h.get("/new?new"), "503 the server stops\n")
		for range 2 {
			h.ends("/a", server.Stopping)
		}
	})
}

// Each dialect has its own names: no request reaches a session of another codec.
func TestCodecsHaveTheirOwnSessions(t *testing.T) {
	withPackets(t, server.Options{}, func(t *testing.T, h *packetHost) {
		h.open("a")
		other := server.NewHTTPSessions(h.Server, server.SockJS{})
		rec := httptest.NewRecorder()
		other.Send(rec, httptest.NewRequestWithContext(t.Context(), "POST", "/a", strings.NewReader("[]")), "a")
		if rec.Code != http.StatusNotFound {
			t.Errorf("SockJS answers %d for a session of packets", rec.Code)
		}
		rec = httptest.NewRecorder()
		other.Receive(rec, httptest.NewRequestWithContext(t.Context(), "POST", "/a", http.NoBody),
			server.ReceiveRequest{Session: "a"}, func(s *server.HTTPSession) server.Handler { return &packetEcho{s, h.closed} })
		if rec.Body.String() != "o\n" || h.Stats().Open != 2 {
			t.Errorf("a session of SockJS begins with %q", rec.Body)
		}
	})
}

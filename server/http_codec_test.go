package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"chatcast/server"
)

// packets is a codec like that of Engine.IO 4's polling: an answer is a payload of
// packets, joined by the record separator; the first character of a packet is its type.
// Frames carry whole packets, so the dialect queues the open packet itself.
type packets struct{}

const separator = "\x1e"

func (packets) Rules(o server.Options) server.HTTPRules {
	return server.HTTPRules{
		Polling: "polling", ContentType: "text/plain; charset=UTF-8",
		MessageBytes: 500, BodyBytes: 1000, Pings: true, Strict: true,
	}
}

func (packets) Encode(p server.Part) server.Encoded {
	var list []string
	for _, f := range p.Frames {
		list = append(list, string(server.Payload(f)))
	}
	if p.Heartbeat {
		list = append(list, "2")
	}
	switch {
	case p.Close == nil:
	case p.Close.Reason == server.PeerClosed:
		list = append(list, "6") // which ends the answer and means nothing
	default:
		list = append(list, "1")
	}
	return server.Encoded{Bytes: []byte(strings.Join(list, separator))}
}

var errBadPacket = errors.New("a packet is invalid")

func (packets) Decode(body []byte) (server.Sent, error) {
	var sent server.Sent
	for p := range bytes.SplitSeq(body, []byte(separator)) {
		if len(p) == 0 || !strings.Contains("134", string(p[:1])) {
			return server.Sent{}, errBadPacket
		}
		if p[0] != '3' { // a pong is only a sign of life, as is each request
			sent.Messages = append(sent.Messages, p)
		}
	}
	return sent, nil
}

func (packets) Accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "ok")
}

func (packets) Refuse(w http.ResponseWriter, err error) {
	status, code := http.StatusBadRequest, 3
	switch {
	case errors.Is(err, server.ErrNoSession):
		code = 1
	case errors.Is(err, server.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code})
}

// Answers with which packets refuses.
const (
	unknown = `400 {"code":1}` + "\n"
	invalid = `400 {"code":3}` + "\n"
	large   = `413 {"code":3}` + "\n"
)

// packetEcho is a dialect that repeats every message packet.
type packetEcho struct {
	s      *server.HTTPSession
	closed chan server.Reason
}

func (e *packetEcho) Message(b []byte) {
	if b[0] == '1' {
		e.s.Close(server.Disconnect{Reason: server.PeerClosed})
		return
	}
	e.s.Queue(text(string(b)))
}
func (e *packetEcho) Idle()                  { e.s.Queue(text("4not asked for by a codec with pings")) }
func (e *packetEcho) Info() server.Info      { return server.Info{ID: "echo"} }
func (e *packetEcho) Closed(r server.Reason) { e.closed <- r }
func (e *packetEcho) Disconnect(r server.Reason) server.Disconnect {
	return server.Disconnect{Frame: text("4bye: " + string(r)), Code: 4100, Message: string(r)}
}

// packetHost is a running Server whose sessions over HTTP speak packets, without a
// port: GET /SID receives, POST /SID sends, and GET /SID?new begins.
type packetHost struct {
	t testing.TB
	*server.Server
	http     *server.HTTPSessions
	sessions chan *server.HTTPSession
	closed   chan server.Reason
	stop     func()
}

func startPackets(t testing.TB, o server.Options) *packetHost {
	h := &packetHost{t: t, Server: server.New(o), sessions: make(chan *server.HTTPSession, 10), closed: make(chan server.Reason, 10)}
	h.http = server.NewHTTPSessions(h.Server, packets{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return h
}

func (h *packetHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sid := strings.TrimPrefix(r.URL.Path, "/")
	if r.Method == http.MethodPost {
		h.http.Send(w, r, sid)
		return
	}
	var open func(*server.HTTPSession) server.Handler
	if r.URL.Query().Has("new") {
		open = func(s *server.HTTPSession) server.Handler {
			s.Queue(text(`0{"sid":"` + sid + `"}`))
			h.sessions <- s
			return &packetEcho{s, h.closed}
		}
	}
	h.http.Receive(w, r, server.ReceiveRequest{Session: sid, Remote: "198.51.100.7"}, open)
}

// get returns the status and body of the whole answer.
func (h *packetHost) get(path string) string { return h.ask(http.MethodGet, path, http.NoBody) }

func (h *packetHost) post(path, body string) string {
	return h.ask(http.MethodPost, path, strings.NewReader(body))
}

func (h *packetHost) ask(method, path string, body io.Reader) string {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), method, path, body))
	return fmt.Sprintf("%d %s", rec.Code, rec.Body)
}

// poll opens a receiving request that waits for the end of its answer.
func (h *packetHost) poll(path string) <-chan string {
	answer := make(chan string, 1)
	go func() { answer <- h.get(path) }()
	synctest.Wait()
	return answer
}

// open begins a session.
func (h *packetHost) open(sid string) *server.HTTPSession {
	h.t.Helper()
	h.same(h.get("/"+sid+"?new"), `200 0{"sid":"`+sid+`"}`)
	return <-h.sessions
}

func (h *packetHost) same(got, want string) {
	h.t.Helper()
	if got != want {
		h.t.Fatalf("got %.300q, want %.300q", got, want)
	}
}

// ends expects that a session has ended for this reason and no longer exists.
func (h *packetHost) ends(path string, want server.Reason) {
	h.t.Helper()
	synctest.Wait()
	select {
	case got := <-h.closed:
		if got != want {
			h.t.Errorf("%s ended as %s, want %s", path, got, want)
		}
	default:
		h.t.Fatalf("%s has not ended, want %s", path, want)
	}
	h.same(h.get(path), unknown)
	h.same(h.post(path, "4x"), unknown)
	if st := h.Stats(); st.Ended[want] == 0 {
		h.t.Errorf("%s is not counted: %+v", want, st)
	}
}

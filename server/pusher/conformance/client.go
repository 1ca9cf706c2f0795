package conformance

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
)

// frame is one message of the server.
type frame struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
	UserID  json.RawMessage `json:"user_id"`
	raw     string
}

func (f frame) String() string { return f.raw }

// socket is a connection that speaks Pusher, as a client library does.
type socket struct {
	x        *exchange
	w        *wire
	app      App
	id       string
	activity float64 // activity_timeout, in seconds
	counts   bool    // return subscription_count events, too
	pings    bool    // and the server's pusher:ping
}

const clientQuery = "?protocol=7&client=js&version=8.6.0&flash=false"

// dial opens a WebSocket on a path of the target. It is closed when the case ends.
func (x *exchange) dial(path string) *socket {
	w, err := dialWire(x.target.URL+path, nil, x.patience)
	if err != nil {
		x.failf("connecting to %s: %v", path, err)
	}
	x.cleanups = append(x.cleanups, func() { _ = w.conn.Close() })
	return &socket{x: x, w: w}
}

// connect opens a socket of the main app and reads the greeting.
func (x *exchange) connect() *socket { return x.connectTo(x.target.App) }

func (x *exchange) connectTo(app App) *socket {
	s := x.dial("/app/" + app.Key + clientQuery)
	s.app = app
	s.greeted(s.read("pusher:connection_established"))
	return s
}

var socketID = regexp.MustCompile(`\A\d+\.\d+\z`)

func (s *socket) greeted(f frame) {
	var hello struct {
		SocketID string  `json:"socket_id"`
		Activity float64 `json:"activity_timeout"`
	}
	text := s.text(f)
	if err := json.Unmarshal([]byte(text), &hello); err != nil {
		s.x.failf("data of connection_established is a string of %s: %v", text, err)
	}
	if !socketID.MatchString(hello.SocketID) {
		s.x.failf("socket_id is %q, not digits, a dot and digits", hello.SocketID)
	}
	if hello.Activity <= 0 {
		s.x.failf("activity_timeout is missing or not over 0: %s", text)
	}
	s.id, s.activity = hello.SocketID, hello.Activity
}

// await reads the next message. It skips messages that the server sends by itself.
func (s *socket) await() (frame, error) {
	for {
		op, message, err := s.w.next(s.x.patience)
		if err != nil {
			return frame{}, err
		}
		f := frame{raw: string(message)}
		switch {
		case op == opPong:
			continue
		case op != opText:
			s.x.failf("the server sent a frame with opcode %d", op)
		}
		if err := json.Unmarshal(message, &f); err != nil || f.Event == "" {
			s.x.failf("the server sent %s, which is no message: %v", message, err)
		}
		switch f.Event {
		case "pusher_internal:subscription_count":
			if !s.counts {
				continue
			}
		case "pusher:ping":
			s.say(`{"event":"pusher:pong","data":{}}`)
			if !s.pings {
				continue
			}
		}
		return f, nil
	}
}

func (s *socket) next(want string) frame {
	f, err := s.await()
	if err != nil {
		s.x.failf("waited for %s: %v", want, err)
	}
	return f
}

// read expects a message with this event next.
func (s *socket) read(event string) frame {
	f := s.next(event)
	if f.Event != event {
		s.x.failf("got %s, want %s", f, event)
	}
	return f
}

// sign waits for the first sign of a feature. Without it the feature is absent.
func (s *socket) sign(event string) frame {
	f, err := s.await()
	if err != nil {
		s.x.absentf("waited for %s: %v", event, err)
	}
	if f.Event != event {
		s.x.absentf("got %s, want %s", f, event)
	}
	return f
}

// text returns the data of a frame, which must be a JSON string.
func (s *socket) text(f frame) string {
	var text string
	if err := json.Unmarshal(f.Data, &text); err != nil || len(f.Data) == 0 || f.Data[0] != '"' {
		s.x.failf("data must be a string: %s", f)
	}
	return text
}

// object decodes the data of a frame, which must be a JSON object, into v.
func (s *socket) object(f frame, v any) {
	if len(f.Data) == 0 || f.Data[0] != '{' {
		s.x.failf("data must be an object: %s", f)
	}
	if err := json.Unmarshal(f.Data, v); err != nil {
		s.x.failf("%s: %v", f, err)
	}
}

// event expects an ordinary event with exactly this text as data.
func (s *socket) event(channel, name, data string) {
	f := s.read(name)
	if text := s.text(f); f.Channel != channel || text != data {
		s.x.failf("got %s, want %s on %s with data %q", f, name, channel, data)
	}
}

// say sends a text message.
func (s *socket) say(message string) {
	s.bytes(rawFrame{first: final(opText), payload: []byte(message)}.encode())
}

// bytes writes b unchanged.
func (s *socket) bytes(b []byte) {
	if err := s.w.write(b, s.x.patience); err != nil {
		s.x.failf("writing to the socket: %v", err)
	}
}

// send sends an event with data.
func (s *socket) send(event string, data any) {
	s.say(jsonOf(map[string]any{"event": event, "data": data}))
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and strings of this package always marshal
	}
	return string(b)
}

// silence checks that no message is on its way: it would come before the pong.
func (s *socket) silence(why string) {
	if got := s.drain(); len(got) > 0 {
		s.x.failf("%s, but it got %s", why, got[0])
	}
}

// drain returns the messages that come before the answer to a ping, and so shows that
// the connection is alive.
func (s *socket) drain() (got []frame) {
	s.say(`{"event":"pusher:ping","data":{}}`)
	for {
		f := s.next("pusher:pong")
		if f.Event == "pusher:pong" {
			return got
		}
		got = append(got, f)
	}
}

// complaint is the data of pusher:error.
type complaint struct {
	Message *string
	Code    *int
}

// refused expects pusher:error in band, possibly together with
// pusher:subscription_error, and that the connection goes on.
func (s *socket) refused(what string) complaint {
	var told *complaint
	for _, f := range s.drain() {
		switch f.Event {
		case "pusher:error":
			var c complaint
			s.object(f, &c)
			if c.Message == nil || *c.Message == "" {
				s.x.failf("%s: pusher:error without a message: %s", what, f)
			}
			told = &c
		case "pusher:subscription_error":
		default:
			s.x.failf("%s must be refused, but it got %s", what, f)
		}
	}
	if told == nil {
		s.x.failf("%s must be answered with pusher:error, but nothing came", what)
	}
	return *told
}

// ended waits for the end of the connection and skips error events.
func (s *socket) ended(want string) *closed {
	for {
		f, err := s.await()
		var end *closed
		switch {
		case errors.As(err, &end):
			return end
		case err != nil:
			s.x.failf("waited for %s: %v", want, err)
		case f.Event == "pusher:error":
			var c complaint
			s.object(f, &c)
		default:
			s.x.failf("got %s, want %s", f, want)
		}
	}
}

// closedWith expects a close frame with one of the codes.
func (s *socket) closedWith(codes ...int) {
	end := s.ended("a close frame")
	for _, code := range codes {
		if end.code == code {
			return
		}
	}
	s.x.failf("%v; want a close frame with %v", end, codes)
}

// plain sends an unsigned request to the target's HTTP side.
func (x *exchange) plain(req *http.Request) *answer {
	res, err := x.httpClient().Do(req)
	if err != nil {
		x.failf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	return x.answerOf(res)
}

func (x *exchange) httpClient() *http.Client {
	return &http.Client{Timeout: x.patience, Transport: &http.Transport{DisableKeepAlives: true}}
}

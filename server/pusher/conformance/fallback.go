package conformance

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// fallback is a connection over xhr_streaming or xhr_polling, as pusher-js makes it.
type fallback struct {
	x       *exchange
	base    string // .../app/KEY/SERVER/SESSION
	receive string // xhr_streaming, or xhr: one request for each answer
	lines   *bufio.Reader
	pending []string // messages of the last line
	stop    context.CancelFunc
	id      string // socket_id
	opened  bool
}

// fallback opens a session and reads the greeting.
func (x *exchange) fallback(receive string) *fallback {
	f := x.session(x.target.Key, receive)
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	text := (&socket{x: x}).text(f.read("pusher:connection_established"))
	if err := json.Unmarshal([]byte(text), &hello); err != nil || !socketID.MatchString(hello.SocketID) {
		x.failf("the greeting is %s", text)
	}
	f.id = hello.SocketID
	return f
}

// session begins a session of a key, whether or not the server accepts it.
func (x *exchange) session(key, receive string) *fallback {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	f := &fallback{x: x, receive: receive}
	f.base = x.target.HTTP + x.target.XHRPath + "/app/" + key + "/123/" + hex.EncodeToString(b[:])
	x.cleanups = append(x.cleanups, func() {
		if f.stop != nil {
			f.stop()
		}
	})
	return f
}

// request opens the stream, or the next poll.
func (f *fallback) request() {
	if f.stop != nil {
		f.stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*f.x.patience)
	f.stop = cancel
	req, err := http.NewRequestWithContext(ctx, "POST", f.base+"/"+f.receive+"?protocol=7&client=js&version=8.6.0&t=1&n=1", nil)
	if err != nil {
		f.x.failf("%v", err)
	}
	req.Header.Set("Origin", "https://page.example")
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		f.x.failf("%s: %v", f.receive, err)
	}
	stop := f.stop
	f.stop = func() { stop(); _ = res.Body.Close() }
	if res.StatusCode != http.StatusOK {
		f.x.absentf("%s is answered with %s", f.receive, res.Status)
	}
	if got := res.Header.Get("Access-Control-Allow-Origin"); got != "*" && got != "https://page.example" {
		f.x.failf("Access-Control-Allow-Origin is %q", got)
	}
	f.lines = bufio.NewReader(res.Body)
}

// line reads the next line that is not a heartbeat.
func (f *fallback) line() string {
	for {
		if f.lines == nil {
			f.request()
		}
		line, err := f.lines.ReadString('\n')
		switch line = strings.TrimRight(line, "\n"); {
		case err != nil && f.receive == "xhr" && f.opened && !errors.Is(err, context.DeadlineExceeded):
			f.lines = nil // a poll ends after its first lines
			continue
		case err != nil:
			f.x.failf("the %s response ended with %q, %v", f.receive, line, err)
		case strings.Trim(line, "h") == "": // heartbeats, and the prelude
			continue
		}
		f.opened = true
		return line
	}
}

// open reads the o line.
func (f *fallback) open() {
	line := f.line()
	if line != "o" && !strings.HasPrefix(line, "o{") {
		f.x.failf("the first line is %q, want o", line)
	}
}

// next reads the next message.
func (f *fallback) next() frame {
	for len(f.pending) == 0 {
		line := f.line()
		switch {
		case line == "o", strings.HasPrefix(line, "o{"):
			continue
		case line[0] == 'a':
			if err := json.Unmarshal([]byte(line[1:]), &f.pending); err != nil {
				f.x.failf("the line %q: %v", line, err)
			}
		case line[0] == 'm':
			var one string
			if err := json.Unmarshal([]byte(line[1:]), &one); err != nil {
				f.x.failf("the line %q: %v", line, err)
			}
			f.pending = append(f.pending, one)
		default:
			f.x.failf("got the line %q, want a message", line)
		}
	}
	got := frame{raw: f.pending[0]}
	f.pending = f.pending[1:]
	if err := json.Unmarshal([]byte(got.raw), &got); err != nil {
		f.x.failf("the message %s: %v", got.raw, err)
	}
	return got
}

// read expects a message with this event.
func (f *fallback) read(event string) frame {
	for {
		got := f.next()
		if got.Event == "pusher_internal:subscription_count" {
			continue
		}
		if got.Event != event {
			f.x.failf("got %s, want %s", got, event)
		}
		return got
	}
}

// post sends messages.
func (f *fallback) post(body string) *answer {
	req, err := http.NewRequest("POST", f.base+"/xhr_send?t=1&n=2", strings.NewReader(body))
	if err != nil {
		f.x.failf("%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "https://page.example")
	return f.x.plain(req)
}

// say sends one message.
func (f *fallback) say(message string) {
	f.post(jsonOf([]string{message})).is("xhr_send", http.StatusOK, http.StatusNoContent)
}

// closedLine expects a line that closes the session.
func (f *fallback) closedLine(code int) {
	for {
		line := f.line()
		var told []any
		switch {
		case line[0] != 'c':
			continue // pusher:error may come first
		case json.Unmarshal([]byte(line[1:]), &told) != nil || len(told) != 2 || fmt.Sprint(told[0]) != fmt.Sprint(code):
			f.x.failf("the line %q, want c[%d,...]", line, code)
		}
		return
	}
}

func xhrCases() []Case {
	var cases []Case
	for _, receive := range []string{"xhr_streaming", "xhr"} {
		cases = append(cases, xhrCasesOf(receive)...)
	}
	cases[0].basic = true
	return append(cases, Case{Name: "xhr_send to nobody", Feature: XHR, Rule: "Messages to a session that does not exist are 404.",
		run: func(x *exchange) {
			x.session(x.target.Key, "xhr").post(`["{}"]`).is("xhr_send", http.StatusNotFound)
		}})
}

func xhrCasesOf(receive string) []Case {
	return []Case{
		{Name: receive + ": greeting", Feature: XHR, Rule: "The session opens with o and greets with connection_established; pages of every origin may read it.",
			run: func(x *exchange) {
				f := x.session(x.target.Key, receive)
				f.open()
				f.read("pusher:connection_established")
			}},
		{Name: receive + ": subscribe, event", Feature: XHR, Rule: "Messages go by xhr_send, answered with 200 or 204, also several in one; events come as lines.",
			run: func(x *exchange) {
				f, a, b := x.fallback(receive), x.name(""), x.name("private-")
				auth := x.target.Key + ":" + mac(x.target.Secret, f.id+":"+b)
				f.post(jsonOf([]string{
					`{"event":"pusher:subscribe","data":{"auth":"","channel":"` + a + `"}}`,
					`{"event":"pusher:subscribe","data":{"auth":"` + auth + `","channel":"` + b + `"}}`,
				})).is("xhr_send", http.StatusOK, http.StatusNoContent)
				f.read("pusher_internal:subscription_succeeded")
				f.read("pusher_internal:subscription_succeeded")
				for _, channel := range []string{a, b} {
					x.publish(channel, "e", "ü \" x\n")
					if got := f.read("e"); got.Channel != channel || string(got.Data) != jsonOf("ü \" x\n") {
						x.failf("got %s", got)
					}
				}
			}},
		{Name: receive + ": ping", Feature: XHR, Rule: "pusher:ping is answered; an empty list, the answer to a heartbeat, is no mistake.",
			run: func(x *exchange) {
				f := x.fallback(receive)
				f.post("[]").is("xhr_send", http.StatusOK, http.StatusNoContent)
				f.say(`{"event":"pusher:ping","data":{}}`)
				f.read("pusher:pong")
			}},
		{Name: receive + ": client event between transports", Feature: XHR, Rule: "Sockets of all transports are in the same channels.",
			run: func(x *exchange) {
				if !x.target.claims(ClientEvents) {
					x.failf("there are no client events")
				}
				f, s, channel := x.fallback(receive), x.connect(), x.name("private-")
				s.enter(channel)
				f.say(`{"event":"pusher:subscribe","data":{"auth":"` + x.target.Key + ":" + mac(x.target.Secret, f.id+":"+channel) + `","channel":"` + channel + `"}}`)
				f.read("pusher_internal:subscription_succeeded")
				f.say(`{"event":"client-e","channel":"` + channel + `","data":{"h":1}}`)
				s.relayed(s.read("client-e"), channel, "client-e", `{"h":1}`, "")
				s.client(channel, "client-f", `{"h":2}`)
				s.relayed(f.read("client-f"), channel, "client-f", `{"h":2}`, "")
			}},
		{Name: receive + ": unknown key", Feature: XHR, Rule: "A refusal is a line c[4001,\"reason\"].",
			run: func(x *exchange) { x.session("there-is-no-such-key", receive).closedLine(4001) }},
	}
}

package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/server"
)

// echoes answers each event with its arguments.
func echoes(_ context.Context, _ *Socket, c Call) Args { return c.Args }

func TestEvents(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) { l.on = echoes })
	a, _, _ := h.enter("/shop", good)
	b, _, _ := h.enter("/shop", `{"apikey":"shop"}`)
	a.enter("/other", good)
	silent, _, _ := h.enter("/", good)
	until(t, "subscriptions that are live", func() bool { return h.engine.Stats().Resumed == 3 }) // until then each channel has its own order
	h.say("shop", "one <&>\"\u2028")
	h.say("other", "two")
	h.say("shop", "0*not told")
	h.say("shop", "3*three")
	h.sayLive("shop", "no number")
	a.want(`42/shop,["e","one \u003c\u0026\u003e\"\u2028","1"]`, `42/other,["e","two","2"]`)
	b.want(`42/shop,["e","one \u003c\u0026\u003e\"\u2028","1"]`)
	for _, c := range []*client{a, b} {
		c.want(`42/shop,["e","three","4.1"]`, `42/shop,["e1","three","4.2"]`, `42/shop,["e2","three","4"]`, `42/shop,["live","no number"]`)
	}
	silent.silent("/")
	a.send("41/shop,")
	a.silent("/other")
	h.say("shop", "five")
	h.say("other", "six")
	a.want(`42/other,["e","six","6"]`)
	b.want(`42/shop,["e","five","5"]`)
}

// One event that cannot be encoded ends nothing.
func TestEncoderPanics(t *testing.T) {
	h := run(t)
	c, _, _ := h.enter("/shop", good)
	h.say("shop", "panic")
	h.say("shop", "next")
	c.want(`42/shop,["e","next","2"]`)
}

// All who speak one dialect get the same bytes.
func TestFramesAreShared(t *testing.T) {
	d := dialect{encoder: plainEncoder{}, prefix: "/shop,", offsets: true}
	ev := broadcasting.Event{Name: "e", Data: strings.Repeat("x", 70_000), Seq: 7}
	frame := d.Event(ev)
	var n int
	for f := range server.Split(frame) {
		n++
		if want := `42/shop,["e","` + ev.Data + `","7"]`; string(server.Payload(f)) != want {
			t.Errorf("the frame is %.60q", server.Payload(f))
		}
	}
	if n != 1 || any(d) != any(dialect{encoder: plainEncoder{}, prefix: "/shop,", offsets: true}) {
		t.Errorf("%d frames", n)
	}
	for _, size := range []int{0, 90, 110, 125, 126, 127, 65_000, 65_535, 65_536, 70_000} {
		ev.Data = "2*" + strings.Repeat("y", size)
		n = 0
		for f := range server.Split(d.Event(ev)) {
			if n++; !json.Valid(server.Payload(f)[len("42/shop,"):]) {
				t.Errorf("with %d bytes the frame is %.60q", size, server.Payload(f))
			}
		}
		if n != 2 {
			t.Errorf("with %d bytes there are %d frames", size, n)
		}
	}
	ev.Data = "0*"
	if frame := d.Event(ev); len(frame) != 0 {
		t.Errorf("nothing becomes %q", frame)
	}
}

// A slice with several frames is one part of a poll, and each is a packet.
func TestPollingSplitsFrames(t *testing.T) {
	h := run(t)
	session := h.poll(ioPath)
	h.same("POST", session, "40/shop,"+good, "ok")
	if got := h.ask("GET", session, ""); !strings.HasPrefix(got.body, `40/shop,{"sid":"`) {
		t.Fatalf("the answer is %+v", got)
	}
	h.say("shop", "2*two")
	h.say("shop", "0*none")
	h.say("shop", "one")
	until(t, "three packets", func() bool { return h.queued() == 78 })
	h.same("GET", session, "", `42/shop,["e","two","1.1"]`+"\x1e"+`42/shop,["e1","two","1"]`+"\x1e"+`42/shop,["e","one","3"]`)
}

// queued returns the bytes that wait for all clients.
func (h *host) queued() (n int) {
	for _, c := range h.sockets.Connz() {
		n += c.QueuedBytes
	}
	return n
}

func TestClientEvents(t *testing.T) {
	h := run(t)
	began, release := make(chan struct{}, 1), make(chan struct{})
	h.rooms.change(func(l *lobby) {
		l.on = func(ctx context.Context, s *Socket, c Call) Args {
			switch c.Event {
			case "slow":
				began <- struct{}{}
				select {
				case <-release:
				case <-ctx.Done():
				}
			case "panic":
				panic("in a handler")
			}
			return Args{Values: append([]json.RawMessage{json.RawMessage(`"` + c.Event + `"`)}, c.Values...)}
		}
	})
	c, _, _ := h.enter("/shop", good)
	c.send(`42/shop,1["a",{"b":[1,2]}]`, `42/shop,["no ack"]`, `42/shop,999999999999999["b"]`)
	c.want(`43/shop,1["a",{"b":[1,2]}]`, `43/shop,999999999999999["b"]`)
	// While a handler runs, others wait, and the connection goes on.
	c.send(`42/shop,2["slow"]`, `42/shop,3["next"]`, "40/other,"+good)
	c.entered("/other")
	<-began
	release <- struct{}{}
	c.want(`43/shop,2["slow"]`, `43/shop,3["next"]`)
	c.send("42/none,1[\"dropped\"]", "43/shop,1[]", "42/other,4[\"still here\"]")
	c.want(`43/other,4["still here"]`)
	if st := h.io.Stats(); st.Ignored != 2 {
		t.Errorf("ignored: %d", st.Ignored)
	}
	// One that has left while its handler runs gets no answer, and its handler ends.
	c.send(`42/shop,5["slow"]`)
	<-began
	_ = c.ws.Close()
	until(t, "the end", func() bool { return h.io.Stats().Connections == 0 })

	d, _, _ := h.enter("/shop", good)
	d.send(`42/shop,["panic"]`)
	d.ends()
	until(t, "the reason", func() bool { return h.sockets.Stats().Ended[server.Internal] == 1 })
}

func TestTooManyEventsWait(t *testing.T) {
	h := run(t, func(s *setup) { s.io.PacketBurst = 20 })
	h.rooms.change(func(l *lobby) {
		l.on = func(ctx context.Context, _ *Socket, _ Call) Args { <-ctx.Done(); return Args{} }
	})
	c, _, _ := h.enter("/shop", good)
	for range 30 {
		c.send(`42/shop,["slow"]`)
	}
	c.ends()
	until(t, "the reason", func() bool { return h.sockets.Stats().Ended[server.Flood] == 1 })
}

func TestInboundPace(t *testing.T) {
	h := run(t, func(s *setup) { s.io.PacketsPerSecond, s.io.PacketBurst = 20, 100 })
	c, _, _ := h.enter("/shop", good)
	for range 200 {
		if c.ws.WriteMessage(1, []byte(`42/shop,["x"]`)) != nil {
			break
		}
	}
	c.ends()
	session := h.poll(ioPath)
	h.status("POST", session, strings.Repeat("4x\x1e", 1000)+"4x", 400)
	session = h.poll(ioPath)
	h.ask("POST", session, strings.TrimSuffix(strings.Repeat("42/shop,[\"x\"]\x1e", 150), "\x1e"))
	h.awaitEnd(session)
	until(t, "the reason", func() bool { return h.sockets.Stats().Ended[server.Flood] == 2 })
	const now = time.Hour
	var b bucket
	for range 100 {
		if !b.take(now, 20, 100) {
			t.Fatal("the burst is refused")
		}
	}
	if b.take(now, 20, 100) || !b.take(now+51*time.Millisecond, 20, 100) || b.take(now+51*time.Millisecond, 20, 100) {
		t.Error("the pace is not 20 a second")
	}
}

// Access that ends closes namespaces with 41, and not the connection.
func TestAccessEnds(t *testing.T) {
	h := run(t)
	ctx := t.Context()
	h.rooms.change(func(l *lobby) { l.on = echoes })
	c, _, _ := h.enter("/shop", `{"apikey":"shop"}`)
	c.enter("/other", good)
	if err := h.engine.Disconnect(ctx, "8"); err != nil {
		t.Fatal(err)
	}
	c.want("41/shop,")
	h.say("shop", "not for it")
	c.send(`42/shop,1["dropped"]`)
	c.silent("/other")
	c.enter("/shop", `{"apikey":"shop"}`) // it was given back
	if err := h.engine.Unsubscribe(ctx, "8", line("shop")); err != nil {
		t.Fatal(err)
	}
	c.want("41/shop,")
	h.say("other", "still")
	c.want(`42/other,["e","still","2"]`)

	main, _, _ := h.enter("/", good) // without a channel
	if err := h.engine.Disconnect(ctx, "7"); err != nil {
		t.Fatal(err)
	}
	main.want("41")
	c.want("41/other,")

	// It ends between the check and the grant, and between the grant and the subscription.
	h.rooms.change(func(l *lobby) { l.confirm = func(context.Context) error { return ErrInvalidNamespace } })
	c.send("40/shop," + good)
	c.want(`44/shop,{"message":"Invalid namespace"}`)
	h.rooms.change(func(l *lobby) {
		l.confirm = func(ctx context.Context) error { return h.engine.Disconnect(ctx, "7") }
	})
	c.send("40/shop," + good)
	c.entered("/shop")
	c.want("41/shop,")
}

// A node that may not know of ends of access closes the transport, without 41.
func TestCutOff(t *testing.T) {
	h := run(t)
	c, _, _ := h.enter("/shop", good)
	h.engine.CutOff()
	if got, err := c.next(); err == nil {
		t.Errorf("it says %q", got)
	}
	until(t, "the reason", func() bool { return h.sockets.Stats().Ended[cutOff] == 1 })
}

// A reader that stalls is cut, with what waits for it; others do not wait.
func TestSlowConsumer(t *testing.T) {
	h := run(t, func(s *setup) { s.sockets.QueueBytes = 200_000 })
	slow, _, _ := h.enter("/shop", good)
	quick, _, _ := h.enter("/shop", good)
	data := strings.Repeat("x", 20_000)
	until(t, "the slow one is cut", func() bool {
		h.sayLive("shop", data)
		quick.want(`42/shop,["live","` + data + `"]`)
		return h.sockets.Stats().Ended[server.SlowConsumer] == 1
	})
	for {
		got, err := slow.next()
		if err != nil {
			break
		}
		if strings.HasPrefix(got, "41") {
			t.Errorf("the slow one is told %q", got)
		}
	}
	h.sayLive("shop", "on")
	quick.want(`42/shop,["live","on"]`)
}

func TestDrain(t *testing.T) {
	h := run(t, func(s *setup) { s.sockets.DrainLinger = testwait.Long })
	ws, _, _ := h.enter("/shop", good)
	session := h.poll(ioPath)
	h.same("POST", session, "40/shop,"+good, "ok")
	h.ask("GET", session, "")
	poll := make(chan answer, 1)
	go func() { poll <- h.ask("GET", session, "") }()
	h.awaitPoll(session)
	between := h.poll(ioPath)
	done := make(chan struct{})
	go func() { defer close(done); h.stop() }()
	for {
		got, err := ws.next()
		if err != nil {
			break
		}
		t.Errorf("the WebSocket is told %q", got)
	}
	if got := <-poll; got.body != "1" {
		t.Errorf("the poll is answered %+v", got)
	}
	h.same("GET", between, "", "1")
	<-done
	if got := h.ask("GET", ioPath+transportPolling, ""); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("afterwards a handshake is answered %+v", got)
	}
}

func TestSilentClients(t *testing.T) {
	h := run(t, func(s *setup) {
		s.sockets.Heartbeat, s.sockets.PongTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	h.enter("/shop", good)
	until(t, "the end", func() bool { return h.sockets.Stats().Ended[server.Silent] == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	c, _, _ := h.enter("/shop", good)
	for ctx.Err() == nil { // it answers the pings
		c.want("2")
		c.send("3")
	}
	if n := h.sockets.Stats().Ended[server.Silent]; n != 1 {
		t.Error(fmt.Sprint(n, " have ended"))
	}
}

package pusher_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
)

// publishHere publishes without the HTTP API.
func publishHere(t *testing.T, h *harness, channel, data string) {
	t.Helper()
	if err := h.engine.Publish(context.Background(), broadcasting.Event{App: "3", Channel: channel, Name: "e", Data: data}); err != nil {
		t.Fatal(err)
	}
}

// missed is the frame that says that a cache channel has no event.
func missed(channel string) string {
	return `{"event":"pusher:cache_miss","channel":"` + channel + `","data":"{}"}`
}

// Cache channels of all kinds send the last event after subscription_succeeded, or
// cache_miss with the channel's name.
func TestCacheChannels(t *testing.T) {
	h := newHarness(t)
	for _, channel := range []string{"cache-a", "private-cache-a", "private-encrypted-cache-a", "presence-cache-a"} {
		data, in := "", succeeded(channel)
		if strings.HasPrefix(channel, "presence-") {
			data = `{"user_id":"A"}`
			in = `{"event":"pusher_internal:subscription_succeeded","channel":"` + channel + `","data":` + quoted(`{"presence":{"ids":["A"],"hash":{"A":null},"count":1}}`) + `}`
		}
		enter := func(r *raw, then string) {
			t.Helper()
			r.subscribe(channel, r.auth(channel, data), data)
			r.expect(in, then)
		}
		event := func(name, data string) string {
			return `{"event":"` + name + `","channel":"` + channel + `","data":` + quoted(data) + `}`
		}
		a := h.connect(t)
		enter(a, missed(channel))
		h.publish(t, `{"name":"ce","channel":"`+channel+`","data":"{\"n\":1}","socket_id":"`+a.id+`"}`)
		a.silence() // the event excluded a; a gets it when it subscribes again
		a.unsubscribe(channel)
		enter(a, event("ce", `{"n":1}`))
		if channel != "cache-a" {
			a.send(`{"event":"client-x","channel":"` + channel + `","data":{}}`)
			a.silence() // the event was handled
		}
		b := h.connect(t)
		enter(b, event("ce", `{"n":1}`)) // not the client event
		h.publish(t, `{"name":"last","channels":["`+channel+`"],"data":"x"}`)
		a.expect(event("last", "x"))
		b.expect(event("last", "x"))
		a.unsubscribe(channel)
		b.unsubscribe(channel)
		a.silence()
		b.silence()
		enter(a, event("last", "x")) // the channel had no subscribers for a while
		if data, ttl, ok := h.cached("3", channel); !ok || data != "x" || ttl <= 0 {
			t.Errorf("%s: %q %v %v", channel, data, ttl, ok)
		}
	}
}

func countSays(channel string, n int) string {
	return fmt.Sprintf(`{"event":"pusher_internal:subscription_count","channel":%q,"data":"{\"subscription_count\":%d}"}`, channel, n)
}

// Subscribers of every kind of channel but presence are told their number, in an app
// that enables it; the app of TestConformance* does not.
func TestSubscriptionCounts(t *testing.T) {
	h := newHarness(t, withApp(func(a *apps.App) { a.SubscriptionCount = true }))
	for _, channel := range []string{"sc", "private-sc", "private-encrypted-sc"} {
		a, b := h.connect(t), h.connect(t)
		a.enter(channel)
		a.expect(countSays(channel, 1))
		b.enter(channel)
		a.expect(countSays(channel, 2))
		b.expect(countSays(channel, 2))
		b.enter(channel) // subscribing again changes nothing
		b.silence()
		a.unsubscribe(channel)
		b.expect(countSays(channel, 1))
		a.silence()
		a.enter(channel)
		a.expect(countSays(channel, 2))
		_ = a.ws.Close()
		b.expect(countSays(channel, 2), countSays(channel, 1))
	}
	a := h.connect(t)
	a.subscribe("cache-sc", "", "")
	a.expect(succeeded("cache-sc"), missed("cache-sc"), countSays("cache-sc", 1))
	a.subscribe("presence-sc", a.auth("presence-sc", `{"user_id":"A"}`), `{"user_id":"A"}`)
	a.read()
	a.signIn(`{"id":"A"}`)
	a.expect(signedIn(`{"id":"A"}`))
	a.subscribe("#server-to-user-A", "", "")
	a.expect(succeeded("#server-to-user-A"))
	a.silence()
}

// However a socket ends, its user leaves the presence channel at once.
func TestMemberRemovedHowever(t *testing.T) {
	h := newHarness(t, func(o *setup) { o.sockets.QueueBytes = 64 << 10; o.sockets.WriteTimeout = time.Second })
	const channel = "presence-r"
	watcher := h.connect(t)
	watcher.subscribe(channel, watcher.auth(channel, `{"user_id":"W"}`), `{"user_id":"W"}`)
	watcher.read()
	for name, end := range map[string]func(r *raw, id string){
		"unsubscribes":        func(r *raw, _ string) { r.unsubscribe(channel) },
		"breaks off":          func(r *raw, _ string) { _ = r.ws.Close() },
		"says goodbye":        func(r *raw, _ string) { _ = r.ws.WriteControl(8, []byte{3, 232}, time.Now().Add(testwait.Long)) },
		"loses access":        func(r *raw, id string) { h.withdraw(id, channel) },
		"is disconnected":     func(r *raw, id string) { h.disconnect(id) },
		"is terminated":       func(r *raw, id string) { h.terminate("3", id) },
		"sends binary":        func(r *raw, _ string) { _ = r.ws.WriteMessage(websocket.BinaryMessage, []byte("x")) },
		"is no UTF-8":         func(r *raw, _ string) { r.send("\xff") },
		"is too large":        func(r *raw, _ string) { r.send(strings.Repeat(" ", 20<<10)) },
		"breaks the protocol": func(r *raw, _ string) { _, _ = r.ws.NetConn().Write([]byte{0xff, 0xff}) },
		"reads nothing": func(r *raw, _ string) {
			r.enter("private-much")
			for _, in := r.member(h, "private-much"); in; _, in = r.member(h, "private-much") {
				publishHere(t, h, "private-much", strings.Repeat("x", 60<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, id := h.connect(t), strings.ReplaceAll(name, " ", "-")
			watcher.t = t
			data := `{"id":"` + id + `"}`
			r.signIn(data)
			r.expect(signedIn(data))
			h.grant("3", r.id, channel, id)
			r.subscribe(channel, r.auth(channel, ""), "")
			r.read()
			watcher.expect(`{"event":"pusher_internal:member_added","channel":"presence-r","data":` + quoted(`{"user_id":"`+id+`"}`) + `}`)
			end(r, id)
			watcher.expect(`{"event":"pusher_internal:member_removed","channel":"presence-r","data":` + quoted(`{"user_id":"`+id+`"}`) + `}`)
		})
	}
}

// member reports whether the socket is among a channel's subscribers.
func (r *raw) member(h *harness, channel string) (n int, in bool) {
	r.t.Helper()
	n, _, err := h.engine.Count(context.Background(), "3", channel)
	if err != nil {
		r.t.Fatal(err)
	}
	return n, n > 0
}

// Subscribes and unsubscribes may cross each other, as a page sends them that changes
// its mind: only the last one counts at the end.
func TestSubscribeAndUnsubscribe(t *testing.T) {
	h := newHarness(t)
	for _, channel := range []string{"x", "private-x", "presence-x", "private-encrypted-x"} {
		data := ""
		if strings.HasPrefix(channel, "presence-") {
			data = `{"user_id":"A"}`
		}
		for _, words := range []string{"s", "su", "sus", "ss", "ssu", "us", "u", "uus", "susu", "susus", "sssuuu"} {
			r, in, told := h.connect(t), false, 0
			for _, w := range words {
				if w == 's' {
					r.subscribe(channel, r.auth(channel, data), data)
					in = true
					told++
				} else {
					r.unsubscribe(channel)
					in = false
				}
			}
			for range told {
				if got := r.read(); !strings.Contains(got, "subscription_succeeded") {
					t.Errorf("%s %s: %s", channel, words, got)
				}
			}
			r.silence() // so everything was handled
			publishHere(t, h, channel, words)
			if in {
				r.expect(`{"event":"e","channel":"` + channel + `","data":"` + words + `"}`)
			}
			r.silence()
			_ = r.ws.Close()
		}
	}
}

// Of ten thousand subscribes as many as are allowed succeed, the others are refused,
// the connection goes on, and nothing is left when it ends.
func TestTenThousandSubscribes(t *testing.T) {
	h := newHarness(t, func(o *setup) {
		o.pusher.MessagesPerSecond, o.pusher.MessageBurst = 20_000, 20_000
		o.sockets.QueueBytes = 16 << 20 // for all answers: the test may read slowly
	})
	a := h.connect(t)
	go func() {
		for i := range 10_000 {
			text := fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"c%d"}}`, i)
			if a.ws.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				return
			}
		}
	}()
	const why = "At most 1000 channels are allowed on one connection"
	for i := range 10_000 {
		channel := fmt.Sprint("c", i)
		if i < 1000 {
			a.expect(succeeded(channel))
		} else {
			a.expect(errorSays(4312, why), subscriptionErrorSays(channel, "LimitReached", why, 429))
		}
	}
	a.unsubscribe("c0")
	a.subscribe("c5000", "", "")
	a.expect(succeeded("c5000"))
	if st := h.engine.Stats(); st.Channels != 1000 {
		t.Errorf("%+v", st)
	}
	_ = a.ws.Close()
	h.stop()
	if st := h.engine.Stats(); st.Channels != 0 || st.Sockets != 0 {
		t.Errorf("left: %+v", st)
	}
}

// A socket that never reads is closed, and the others get everything.
func TestNeverReads(t *testing.T) {
	h := newHarness(t, func(o *setup) { o.sockets.QueueBytes = 128 << 10 })
	deaf, a := h.connect(t), h.connect(t)
	deaf.enter("private-x")
	a.enter("private-x")
	data, began := strings.Repeat("x", 60<<10), time.Now()
	for n, _ := a.member(h, "private-x"); n == 2; n, _ = a.member(h, "private-x") {
		publishHere(t, h, "private-x", data)
		a.expect(`{"event":"e","channel":"private-x","data":"` + data + `"}`)
		if time.Since(began) > testwait.Long {
			t.Fatal("it is still there")
		}
	}
	a.silence()
}

// channelEvents records the kinds of the events it gets.
type channelEvents struct {
	mu   sync.Mutex
	list []broadcasting.ChannelEvent
}

func (h *channelEvents) Record(x broadcasting.ChannelEvent) {
	h.mu.Lock()
	x.At = time.Time{}
	h.list = append(h.list, x)
	h.mu.Unlock()
}

// A client event is reported after it was accepted, exactly as it was sent, and not
// before.
func TestClientSent(t *testing.T) {
	recorded := new(channelEvents)
	h := newHarness(t, func(o *setup) { o.record = recorded })
	a := h.connect(t)
	const channel = "presence-c"
	a.subscribe(channel, a.auth(channel, `{"user_id":7}`), `{"user_id":7}`)
	a.read()
	a.send(`{"event":"client-x","channel":"presence-c","data":{"h": 1}}`)
	a.send(`{"event":"client-y","channel":"presence-c"}`)
	a.send(`{"event":"client-z","channel":"presence-other","data":1}`)
	a.read() // refused
	a.silence()
	want := []broadcasting.ChannelEvent{
		{Kind: broadcasting.Occupied, App: "3", Channel: channel},
		{Kind: broadcasting.MemberAdded, App: "3", Channel: channel, UserID: "7"},
		{Kind: broadcasting.ClientSent, App: "3", Channel: channel, UserID: "7", Name: "client-x", Data: `{"h": 1}`, SocketID: a.id},
		{Kind: broadcasting.ClientSent, App: "3", Channel: channel, UserID: "7", Name: "client-y", SocketID: a.id},
	}
	recorded.mu.Lock()
	defer recorded.mu.Unlock()
	if !slices.Equal(recorded.list, want) {
		t.Errorf("told %+v", recorded.list)
	}
}

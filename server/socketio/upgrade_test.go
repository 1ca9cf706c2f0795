package socketio

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/server"
)

// entered begins a session over polling in a namespace, and returns its path.
func (h *host) polls(namespace, auth string) (session, pid string) {
	h.t.Helper()
	session = h.poll(ioPath)
	h.same("POST", session, "40"+prefixOf(namespace)+auth, "ok")
	got := h.ask("GET", session, "")
	if !strings.HasPrefix(got.body, "40"+prefixOf(namespace)+`{"sid":"`) {
		h.t.Fatalf("the answer is %+v", got)
	}
	return session, got.body
}

// Sessions are upgraded while events come: nothing is lost, and nothing overtakes.
func TestUpgradeUnderLoad(t *testing.T) {
	h := run(t)
	const clients, later = 10, 50
	var publish, all sync.WaitGroup
	var upgraded atomic.Int32
	total := make(chan int, 1)
	for i := range clients {
		session, _ := h.polls("/shop", good)
		all.Go(func() {
			one := &reader{next: 1}
			for range 3 + i {
				one.take(t, h.ask("GET", session, "").body)
			}
			c := h.dial(overWebSocket(session))
			c.send("2probe")
			c.want("3probe")
			one.take(t, h.ask("GET", session, "").body)
			c.send("5")
			one.take(t, c.read())
			upgraded.Add(1)
			last := <-total
			total <- last
			for one.next <= last && !t.Failed() {
				one.take(t, c.read())
			}
		})
	}
	publish.Go(func() {
		n, pace := 0, time.NewTicker(200*time.Microsecond)
		defer pace.Stop()
		for after := 0; after < later && !t.Failed(); n++ {
			h.say("shop", strconv.Itoa(n+1))
			if upgraded.Load() == clients {
				after++
			} else {
				<-pace.C // the clients poll meanwhile
			}
		}
		total <- n
	})
	publish.Wait()
	all.Wait()
	if st := h.io.Stats(); st.Upgraded != clients || st.WebSockets != clients || st.Connections != clients {
		t.Errorf("%+v", st)
	}
	if st := h.sockets.Stats(); st.Open != clients || st.Ended[server.Upgraded] != clients {
		t.Errorf("%+v", st)
	}
}

// reader checks that events come once and in order.
type reader struct{ next int }

func (r *reader) take(t *testing.T, body string) {
	for p := range strings.SplitSeq(body, "\x1e") {
		if p == "6" || p == "2" {
			continue
		}
		if want := fmt.Sprintf(`42/shop,["e","%d","%d"]`, r.next, r.next); p != want {
			t.Errorf("got %q, want %q", p, want)
			return
		}
		r.next++
	}
}

// While a WebSocket is tried, what comes waits, and polls are answered at once.
func TestUpgradeHolds(t *testing.T) {
	h := run(t)
	session, _ := h.polls("/shop", good)
	poll := make(chan answer, 1)
	go func() { poll <- h.ask("GET", session, "") }()
	h.awaitPoll(session)
	c := h.dial(overWebSocket(session))
	c.send("2probe")
	c.want("3probe")
	if got := <-poll; got.body != "6" {
		t.Errorf("the poll that was open is answered %+v", got)
	}
	h.say("shop", "one")
	h.same("GET", session, "", "6")
	h.same("POST", session, "40/other,"+good, "ok") // it may still send
	h.same("GET", session, "", "6")
	c.send("5")
	c.want(`42/shop,["e","one","1"]`)
	c.entered("/other")
	h.say("other", "two")
	c.want(`42/other,["e","two","2"]`)
	h.status("POST", session, "4x", 400)
}

// An upgrade that is given up leaves the session as it was.
func TestUpgradeGivenUp(t *testing.T) {
	h := run(t, func(s *setup) { s.io.UpgradeTimeout = 300 * time.Millisecond })
	session, _ := h.polls("/shop", good)
	for i, try := range []func(c *client){
		func(c *client) { _ = c.ws.Close() },
		func(c *client) { c.send("2probe"); c.want("3probe"); _ = c.ws.Close() },
		func(c *client) { c.send("2probe"); c.want("3probe"); c.ends() }, // too late
		func(c *client) { c.ends() },
		func(c *client) { c.send("5"); c.ends() },
		func(c *client) { c.send("4x"); c.ends() },
		func(c *client) { c.send("2probe", "2probe"); c.ends() },
		func(c *client) { c.send("2probe", "4x"); c.ends() },
		func(c *client) { c.sendBinary([]byte("5")); c.ends() },
	} {
		c := h.dial(overWebSocket(session))
		try(c)
		until(t, "one socket", func() bool { return h.sockets.Stats().Open == 1 })
		h.say("shop", "on")
		h.same("GET", session, "", fmt.Sprintf(`42/shop,["e","on","%d"]`, i+1))
	}
	first := h.dial(overWebSocket(session))
	first.send("2probe")
	first.want("3probe")
	h.dial(overWebSocket(session)).ends() // only one is tried at a time
	first.send("5")
	h.say("shop", "upgraded")
	first.want(`42/shop,["e","upgraded","10"]`)
}

// A session that ends while a WebSocket is tried takes it along.
func TestSessionEndsDuringTheUpgrade(t *testing.T) {
	h := run(t)
	session, _ := h.polls("/shop", good)
	c := h.dial(overWebSocket(session))
	c.send("2probe")
	c.want("3probe")
	h.status("POST", session, "invalid", http.StatusBadRequest)
	c.ends()
	h.awaitEnd(session)
}

// What waits may be as much as the queue takes.
func TestUpgradeOfAFullQueue(t *testing.T) {
	h := run(t, func(s *setup) { s.sockets.QueueBytes = 10_000 })
	session, _ := h.polls("/shop", good)
	c := h.dial(overWebSocket(session))
	c.send("2probe")
	c.want("3probe")
	data := strings.Repeat("x", 1000)
	for range 9 {
		h.sayLive("shop", data)
	}
	c.send("5")
	for range 9 {
		c.want(`42/shop,["live","` + data + `"]`)
	}
	until(t, "the count of what was written", func() bool { return h.queued() == 0 }) // the client may have it before
	session, _ = h.polls("/shop", good)
	d := h.dial(overWebSocket(session))
	d.send("2probe")
	d.want("3probe")
	for range 12 {
		h.sayLive("shop", data)
		c.want(`42/shop,["live","` + data + `"]`)
	}
	d.ends()
	until(t, "the reason", func() bool { return h.sockets.Stats().Ended[server.SlowConsumer] == 1 })
}

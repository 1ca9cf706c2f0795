package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/server"
)

// recovering is the payload of a client that comes back.
func recovering(key, pid, offset string) string {
	if offset == "" {
		return fmt.Sprintf(`{"apikey":%q,"pid":%q}`, key, pid)
	}
	return fmt.Sprintf(`{"apikey":%q,"pid":%q,"offset":%q}`, key, pid, offset)
}

func TestRecovery(t *testing.T) {
	h := run(t)
	h.say("shop", "before")
	c, sid, pid := h.enter("/shop", good)
	h.say("shop", "one")
	h.say("other", "not its")
	c.want(`42/shop,["e","one","2"]`)
	_ = c.ws.Close()
	h.say("shop", "two")
	h.say("shop", "0*nothing")
	h.say("shop", "2*three")
	c, sid2, pid2 := h.enter("/shop", recovering("good", pid, "2"))
	if sid2 != sid || pid2 != pid {
		t.Fatalf("it comes back as %q %q, was %q %q", sid2, pid2, sid, pid)
	}
	c.want(`42/shop,["e","two","4"]`, `42/shop,["e","three","6.1"]`, `42/shop,["e1","three","6"]`)
	h.say("shop", "live")
	c.want(`42/shop,["e","live","7"]`)
	_ = c.ws.Close()

	// It was cut off between the two emits of one event.
	c, sid2, _ = h.enter("/shop", recovering("good", pid, "6.1"))
	c.want(`42/shop,["e1","three","6"]`, `42/shop,["e","live","7"]`)
	h.say("shop", "2*eight")
	c.want(`42/shop,["e","eight","8.1"]`, `42/shop,["e1","eight","8"]`)
	if sid2 != sid {
		t.Errorf("it comes back as %q", sid2)
	}
	_ = c.ws.Close()

	// It had got no event at all.
	c, sid2, _ = h.enter("/shop", recovering("good", pid, ""))
	c.want(`42/shop,["e","one","2"]`, `42/shop,["e","two","4"]`)
	if st := h.io.Stats(); sid2 != sid || st.Recovered != 3 || st.NotRecovered != 0 {
		t.Errorf("%q, %+v", sid2, st)
	}
}

// What cannot be recovered begins anew, with what comes.
func TestNotRecovered(t *testing.T) {
	h := run(t)
	for i := range 5 {
		h.say("shop", strconv.Itoa(i+1))
	}
	_, sid, pid := h.enter("/shop", good)
	_, _, ofOther := h.enter("/other", good)
	next := 5
	for name, auth := range map[string]string{
		"tampered":         recovering("good", strings.Replace(pid, pid[:2], "00", 1), "5"),
		"cut":              recovering("good", pid[:len(pid)-2], "5"),
		"not hex":          recovering("good", "x"+pid[1:], "5"),
		"empty":            recovering("good", "", "5"),
		"another channel":  recovering("good", ofOther, "5"),
		"another key":      recovering("shop", pid, "5"),
		"ahead":            recovering("good", pid, "1000000"),
		"too large":        recovering("good", pid, "99999999999999999999"),
		"no number":        recovering("good", pid, "last"),
		"no emit":          recovering("good", pid, "5.0"),
		"negative":         recovering("good", pid, "-1"),
		"of another type":  `{"apikey":"good","pid":7,"offset":{}}`,
		"emit of no event": recovering("good", pid, "0.1"),
	} {
		t.Run(name, func(t *testing.T) {
			one := *h
			one.t = t
			c, sid2, pid2 := one.enter("/shop", auth)
			if sid2 == sid || pid2 == pid || pid2 == "" {
				t.Errorf("it is the same: %q %q", sid2, pid2)
			}
			one.say("shop", "new")
			next++
			c.want(fmt.Sprintf(`42/shop,["e","new","%d"]`, next))
		})
	}
	h.journal.change(func(b *book) { b.pruned = 8 })
	if _, sid2, _ := h.enter("/shop", recovering("good", pid, "6")); sid2 == sid {
		t.Error("what is no longer kept is recovered")
	}
	if _, sid2, _ := h.enter("/shop", recovering("good", pid, "8")); sid2 != sid {
		t.Error("what is still kept is not recovered")
	}
}

// A client that has recovered for years does so once more, and one that was away for years
// too: what counts is what the journal has.
func TestRecoveryHasNoEnd(t *testing.T) {
	h := run(t)
	h.say("shop", "one")
	entry := &Entry{UserID: 7, Channel: line("shop")}
	synctest.Test(t, func(t *testing.T) {
		begin, err := h.io.start(t.Context(), Request{Namespace: "/shop"}, entry, "")
		if err != nil || begin.pid == "" || begin.recovered {
			t.Fatalf("it begins as %+v, %v", begin, err)
		}
		time.Sleep(3 * 365 * 24 * time.Hour)
		for offset, place := range map[string]place{"1": {seq: 1}, "": begin.place} {
			again, err := h.io.start(t.Context(), Request{Namespace: "/shop", Auth: json.RawMessage(recovering("good", begin.pid, offset))}, entry, "")
			if err != nil || !again.recovered || again.pid != begin.pid || again.place != place {
				t.Errorf("from %q it goes on as %+v, %v", offset, again, err)
			}
		}
	})
}

func TestRecoveryIsOff(t *testing.T) {
	h := run(t, func(s *setup) { s.io.Secret = nil })
	h.say("shop", "one")
	c, _, pid := h.enter("/shop", `{"apikey":"good","pid":"00","offset":"0","last_event_id":0}`)
	h.say("shop", "two")
	c.want(`42/shop,["e","two"]`)
	if pid != "" {
		t.Errorf("there is a pid %q", pid)
	}
}

// Clients without recovery name the last event that they have.
func TestLastEventID(t *testing.T) {
	h := run(t)
	for i := range 4 {
		h.say("shop", strconv.Itoa(i+1))
	}
	for _, id := range []string{"2", `"2"`} {
		c, _, pid := h.enter("/shop", `{"apikey":"good","last_event_id":`+id+`}`)
		c.want(`42/shop,["e","3","3"]`, `42/shop,["e","4","4"]`)
		if pid == "" {
			t.Error("there is no pid")
		}
	}
	c := h.dial(ioPath + transportWebSocket + "&apikey=good&lastEventId=3")
	c.read()
	_, pid := c.enter("/shop", "")
	c.want(`42/shop,["e","4","4"]`)
	_ = c.ws.Close()
	// A client that recovers keeps the query that it had.
	c = h.dial(ioPath + transportWebSocket + "&apikey=good&lastEventId=3")
	c.read()
	c.enter("/shop", recovering("good", pid, "4"))
	h.say("shop", "5")
	c.want(`42/shop,["e","5","5"]`)
	for _, id := range []string{"99", `"x"`, "-1", "{}", "1"} {
		h.journal.change(func(b *book) { b.pruned = 3 })
		c, _, _ := h.enter("/shop", `{"apikey":"good","last_event_id":`+id+`}`)
		c.want(`42/shop,["` + eventResumeFailed + `"]`)
	}
}

// The journal loses what a client was promised: it comes back, and learns so.
func TestRecoveryFailsLate(t *testing.T) {
	h := run(t)
	h.say("shop", "one")
	c, _, pid := h.enter("/shop", good)
	_ = c.ws.Close()
	h.say("shop", "two")
	h.rooms.change(func(l *lobby) {
		l.joined = func(*Socket) { h.journal.change(func(b *book) { b.pruned = 2 }) } // after the answer
	})
	c, _, _ = h.enter("/shop", recovering("good", pid, "1"))
	h.journal.change(func(b *book) { b.pruned = 0 })
	for {
		if _, err := c.next(); err != nil {
			break
		}
	}
	_ = h.sockets
	until(t, "the reason", func() bool { return h.sockets.Stats().Ended[behind] <= 1 })
}

// Clients are cut again and again while events come: each gets every event once, in order.
func TestRecoveryUnderLoad(t *testing.T) {
	h := run(t)
	const clients, events = 8, 400
	begun := make(chan struct{}, clients)
	failed := make(chan error, clients)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			offset, pid, next := "", "", 1
			for first := true; next <= events; first = false {
				c := h.open(ioPath)
				c.send("40/shop," + recovering("good", pid, offset))
				_, got := c.entered("/shop")
				if !first && got != pid {
					failed <- errors.New("not recovered at " + offset)
					return
				}
				if pid = got; first {
					begun <- struct{}{}
				}
				for range 37 {
					if next > events {
						break
					}
					want := fmt.Sprintf(`42/shop,["e","%d","%d"]`, next, next)
					if got := c.read(); got != want {
						failed <- fmt.Errorf("got %q, want %q", got, want)
						return
					}
					offset = strconv.Itoa(next)
					next++
				}
				_ = c.ws.Close()
			}
		})
	}
	for range clients {
		<-begun
	}
	for i := range events {
		h.say("shop", strconv.Itoa(i+1))
	}
	all.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}

// A client that reads slowly is brought up to date as it reads, and is not cut.
func TestLongRecovery(t *testing.T) {
	h := run(t, func(s *setup) { s.sockets.QueueBytes = 20_000 })
	_, _, pid := h.enter("/shop", good)
	data := strings.Repeat("x", 1000)
	for range 1500 {
		h.journal.write(line("shop"), data)
	}
	for _, polling := range []bool{false, true} {
		c, session := (*client)(nil), ""
		if polling {
			session = h.poll(ioPath)
			h.same("POST", session, "40/shop,"+recovering("good", pid, "0"), "ok")
		} else {
			c = h.open(ioPath)
			c.send("40/shop," + recovering("good", pid, "0"))
		}
		next := 0
		for next <= 1500 {
			var packets []string
			if polling {
				packets = strings.Split(h.ask("GET", session, "").body, "\x1e")
			} else {
				packets = []string{c.read()}
			}
			for _, p := range packets {
				switch {
				case p == "2":
				case next == 0 && strings.HasPrefix(p, `40/shop,{"sid":`):
					next = 1
				case p == fmt.Sprintf(`42/shop,["e","%s","%d"]`, data, next):
					next++
				default:
					t.Fatalf("at %d: %.80q", next, p)
				}
			}
		}
	}
	if st := h.sockets.Stats(); st.Ended[server.SlowConsumer] != 0 {
		t.Errorf("%+v", st)
	}
}

func TestPlaces(t *testing.T) {
	for text, want := range map[string]place{"0": {}, "7": {seq: 7}, "7.1": {7, 1}, "9223372036854775807": {seq: 9223372036854775807}} {
		if got, ok := parsePlace(text); !ok || got != want || got.String() != text {
			t.Errorf("%s is %+v", text, got)
		}
	}
	for _, text := range []string{"", ".", "7.", ".7", "7.0", "0.1", "7.1.1", "-7", "+7", " 7", "9223372036854775808", "7.70000"} {
		if got, ok := parsePlace(text); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
	var _ broadcasting.History = (*book)(nil)
	_ = context.Background
}

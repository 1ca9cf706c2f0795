package broadcasting_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// recorder keeps the events it is told.
type recorder struct {
	mu   sync.Mutex
	list []broadcasting.ChannelEvent
}

func (r *recorder) Record(h broadcasting.ChannelEvent) {
	r.mu.Lock()
	r.list = append(r.list, h)
	r.mu.Unlock()
}

func (r *recorder) take() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.list {
		line := h.App + " " + h.Channel + " "
		switch h.Kind {
		case broadcasting.Occupied:
			line += "occupied"
		case broadcasting.Vacated:
			line += "vacated"
		case broadcasting.MemberAdded:
			line += "added " + h.UserID
		case broadcasting.MemberRemoved:
			line += "removed " + h.UserID
		case broadcasting.CacheMissed:
			line += "missed"
		case broadcasting.Counted:
			line += fmt.Sprint("counted ", h.Count)
		case broadcasting.ClientSent:
			line += fmt.Sprint("sent ", h.Name, " ", h.Data, " by ", h.SocketID, " as ", h.UserID)
		}
		if h.At.IsZero() {
			line += " at no time"
		}
		lines = append(lines, line)
	}
	r.list = nil
	return lines
}

func recorded(t *testing.T, r *recorder, want ...string) {
	t.Helper()
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestChannelEvents(t *testing.T) {
	e, r := broadcasting.NewEngine(broadcasting.Options{}), new(recorder)
	e.Record(r)
	a, b := connect(t, e, "1", "a", words("")), connect(t, e, "2", "b", words(""))
	join(t, a, "news")
	join(t, a, "news")
	recorded(t, r, "1 news occupied")
	join(t, b, "news")
	recorded(t, r, "2 news occupied")
	b.Unsubscribe("news")
	recorded(t, r, "2 news vacated")

	counted(t, a, "private-a")
	recorded(t, r, "1 private-a occupied", "1 private-a counted 1")
	e.ClientSent(broadcasting.Event{App: "1", Channel: "private-a", Name: "client-x", Data: `{"h":1}`, Except: "a"})
	recorded(t, r, `1 private-a sent client-x {"h":1} by a as `)
	e.ClientSent(broadcasting.Event{App: "1", Channel: "presence-gone", Name: "client-x", Data: ``, Except: "a", UserID: "A"})
	recorded(t, r, `1 presence-gone sent client-x  by a as A`)
	a.Unsubscribe("private-a")
	recorded(t, r, "1 private-a counted 0", "1 private-a vacated")

	a2, c := connect(t, e, "1", "a2", words("")), connect(t, e, "1", "c", words(""))
	for _, m := range []*mailbox{a, a2} {
		if err := joinAs(t, m, "presence-r", "A", ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := joinAs(t, c, "presence-r", "C", ""); err != nil {
		t.Fatal(err)
	}
	recorded(t, r, "1 presence-r occupied", "1 presence-r added A", "1 presence-r added C")
	a.Unsubscribe("presence-r")
	recorded(t, r)
	a2.Close()
	c.Close()
	recorded(t, r, "1 presence-r removed A", "1 presence-r removed C", "1 presence-r vacated")

	// Channels of signed-in users are not reported, nor are refused subscribers.
	join(t, a, "#server-to-user-A")
	a.Unsubscribe("#server-to-user-A")
	none := want(t, "presence-tiny")
	none.MaxMembers, none.Member = 0, &broadcasting.Member{ID: "x"}
	if err := a.Subscribe(context.Background(), none); err == nil {
		t.Error("there was no room")
	}
	recorded(t, r)
	a.Close()
	recorded(t, r, "1 news vacated")
}

// A miss is recorded once for each time that a channel with subscribers has no event.
func TestCacheMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, r := cacheEngine(broadcasting.MemoryOptions{CacheTTL: time.Minute}), new(recorder)
		e.Record(r)
		a, b := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words(""))
		join(t, a, "cache-a")
		join(t, b, "cache-a")
		recorded(t, r, "1 cache-a occupied", "1 cache-a missed")
		publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "n"})
		b.Unsubscribe("cache-a")
		join(t, b, "cache-a")
		recorded(t, r)
		time.Sleep(time.Minute)
		b.Unsubscribe("cache-a")
		join(t, b, "cache-a")
		b.Unsubscribe("cache-a")
		join(t, b, "cache-a")
		recorded(t, r, "1 cache-a missed")
		a.Close()
		b.Unsubscribe("cache-a")
		join(t, b, "cache-a")
		recorded(t, r, "1 cache-a vacated", "1 cache-a occupied", "1 cache-a missed")
	})
}

// However sockets come and go, the record of a channel is consistent: occupied
// alternates with vacated, added with removed.
func TestChannelEventsInOrder(t *testing.T) {
	e, r := broadcasting.NewEngine(broadcasting.Options{}), new(recorder)
	e.Record(r)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			m := connect(t, e, "1", strconv.Itoa(g), words(""))
			for range 500 {
				if err := joinAs(t, m, "presence-r", strconv.Itoa(g%2), ""); err != nil {
					t.Error(err)
				}
				e.ClientSent(broadcasting.Event{App: "1", Channel: "presence-r", Name: "client-x"})
				m.Unsubscribe("presence-r")
				m.take()
			}
			m.Close()
		})
	}
	wg.Wait()
	occupied, members := false, map[string]bool{}
	for i, h := range r.list {
		ok := true
		switch h.Kind {
		case broadcasting.Occupied:
			ok, occupied = !occupied && len(members) == 0, true
		case broadcasting.Vacated:
			ok, occupied = occupied && len(members) == 0, false
		case broadcasting.MemberAdded:
			ok = occupied && !members[h.UserID]
			members[h.UserID] = true
		case broadcasting.MemberRemoved:
			ok = occupied && members[h.UserID]
			delete(members, h.UserID)
		}
		if !ok {
			t.Fatalf("%d: %+v with occupied %v, members %v", i, h, occupied, members)
		}
	}
	if occupied || len(members) > 0 || len(r.list) < 2000 {
		t.Errorf("at the end: %v, %v after %d", occupied, members, len(r.list))
	}
}

// aheadOfNews knows of a socket of another node before its listener is told.
type aheadOfNews struct{ broadcasting.Presence }

func (aheadOfNews) OthersIn(string, string) int { return 1 }

// A socket that comes between the news of another node's socket and the telling of it must not
// hide that the channel is occupied.
func TestOccupiedWhileNewsIsOnItsWay(t *testing.T) {
	var r recorder
	nodes := broadcasting.NewMemory(broadcasting.MemoryOptions{})
	e := broadcasting.NewEngine(broadcasting.Options{Broker: nodes.Broker(), Presence: aheadOfNews{nodes.Presence()}, Control: nodes.Control()})
	e.Record(&r)
	join(t, connect(t, e, "1", "a", words("")), "news")
	recorded(t, &r, "1 news occupied")
}

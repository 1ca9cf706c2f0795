package broadcasting_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// What a client has confirmed with a pong is remembered for its user, for a while.
func TestReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 5)
		a := connect(t, e, "1", "a", words(""))
		resume(t, e, a, crmLine, 2)
		join(t, a, "private-plain") // not resumed
		synctest.Wait()
		received := func(seq int64, confirmed bool) {
			t.Helper()
			if got, ok := e.Received(t.Context(), "1", "a", "A", crmLine); !ok || got != (broadcasting.Progress{Seq: seq, Confirmed: confirmed}) {
				t.Errorf("received %+v %t, want %d, %t", got, ok, seq, confirmed)
			}
			unknown(t, e, "a", "B", crmLine)
			unknown(t, e, "a", "A", "private-plain")
			if got, ok := e.Received(t.Context(), "2", "a", "A", crmLine); ok {
				t.Errorf("in another app: received %+v", got)
			}
		}
		began := func() { t.Helper(); received(2, false) }
		confirmed := func(seq int64) { t.Helper(); received(seq, true) }
		began()
		a.Answered() // nothing was asked
		began()
		a.Ask()
		publish(t, e, b.write(crmLine))
		began()
		a.Ask() // the first pong is not about it
		a.Answered()
		confirmed(5)
		publish(t, e, b.write(crmLine))
		a.Ask()
		publish(t, e, b.write(crmLine))
		a.Answered() // the second ping
		confirmed(5)
		a.Answered()
		confirmed(7)
		a.Close()
		confirmed(7)
		time.Sleep(9 * time.Minute)
		confirmed(7)
		time.Sleep(2 * time.Minute)
		unknown(t, e, "a", "A", crmLine)
	})
}

func unknown(t testing.TB, e *broadcasting.Engine, socket, user, channel string) {
	t.Helper()
	if got, ok := e.Received(t.Context(), "1", socket, user, channel); ok {
		t.Errorf("%s of %s in %s received %+v", socket, user, channel, got)
	}
}

// A position that the journal never reached is the client's word. What it confirms is what
// it was told after that.
func TestReceivedOfAnUnknownPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 5)
		b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
		a := connect(t, e, "1", "a", words(""))
		resume(t, e, a, crmLine, 1<<60)
		synctest.Wait()
		a.Ask()
		a.Answered()
		if got, ok := e.Received(t.Context(), "1", "a", "A", crmLine); !ok || got.Confirmed {
			t.Errorf("before the read: %+v, %t", got, ok)
		}
		time.Sleep(2 * time.Second)
		a.Ask()
		a.Answered()
		if got, ok := e.Received(t.Context(), "1", "a", "A", crmLine); !ok || got != (broadcasting.Progress{Seq: 5, Confirmed: true}) {
			t.Errorf("after the read: %+v, %t", got, ok)
		}
		a.Unsubscribe(crmLine)
		resume(t, e, a, crmLine, 3) // from an earlier one, whose events it wants again
		a.Answered()
		if got, ok := e.Received(t.Context(), "1", "a", "A", crmLine); !ok || got != (broadcasting.Progress{Seq: 3}) {
			t.Errorf("subscribed again: %+v, %t", got, ok)
		}
		a.Close()
	})
}

// At most 10,000 ended sockets are remembered, the newest ones, and at most 100 of a user.
func TestReceivedIsBounded(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 1)
	const most, ofUser = 10_000, 100
	end := func(i int, user string) {
		a := connect(t, e, "1", fmt.Sprint(i), words(""))
		resumeAs(t, e, user, a, crmLine, 1)
		a.Close()
	}
	user := func(i int) string { return fmt.Sprint("U", i/ofUser) }
	remembered := func(i int, user string) bool {
		_, ok := e.Received(t.Context(), "1", fmt.Sprint(i), user, crmLine)
		return ok
	}
	for i := range most + 1 {
		end(i, user(i))
	}
	for i, want := range map[int]bool{0: false, 1: true, most: true} {
		if got := remembered(i, user(i)); got != want {
			t.Errorf("socket %d is remembered: %t", i, got)
		}
	}
	for i := range ofUser + 1 {
		end(most+1+i, "A")
	}
	for i, want := range map[int]bool{0: false, 1: true, ofUser: true} {
		if got := remembered(most+1+i, "A"); got != want {
			t.Errorf("socket %d of one user is remembered: %t", i, got)
		}
	}
	if i := 2*ofUser + 1; !remembered(i, user(i)) {
		t.Error("one user made another's sockets forgotten")
	}
}

// What a socket has received is known on every node, to its user alone.
func TestReceivedOnAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, b := broadcasting.NewMemory(broadcasting.MemoryOptions{}), &book{}
		var nodes []*broadcasting.Engine
		for range 3 {
			e := broadcasting.NewEngine(broadcasting.Options{Broker: m.Broker(), Presence: m.Presence(), Control: m.Control()})
			running(t, e, b)
			nodes = append(nodes, e)
		}
		b.fill(crmLine, 5)
		a := connect(t, nodes[1], "1", "a", words(""))
		resume(t, nodes[1], a, crmLine, 2)
		synctest.Wait()
		check := func(want broadcasting.Progress) {
			t.Helper()
			for i, e := range nodes {
				if got, ok := e.Received(t.Context(), "1", "a", "A", crmLine); !ok || got != want {
					t.Errorf("node %d says %+v %t, want %+v", i, got, ok, want)
				}
				unknown(t, e, "a", "B", crmLine)
				unknown(t, e, "b", "A", crmLine)
			}
		}
		check(broadcasting.Progress{Seq: 2})
		a.Ask()
		a.Answered()
		check(broadcasting.Progress{Seq: 5, Confirmed: true})
		a.Close()
		check(broadcasting.Progress{Seq: 5, Confirmed: true})
	})
}

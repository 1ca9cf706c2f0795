package broadcasting_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
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
		received := func(want int64) {
			t.Helper()
			if got := e.Received("1", "a", "A", crmLine); got != want {
				t.Errorf("received %d, want %d", got, want)
			}
			for _, other := range []int64{e.Received("1", "a", "B", crmLine), e.Received("1", "a", "A", "private-plain"), e.Received("2", "a", "A", crmLine)} {
				if other != 0 {
					t.Errorf("others received %d", other)
				}
			}
		}
		received(0)
		a.Answered() // nothing was asked
		received(0)
		a.Ask()
		publish(t, e, b.write(crmLine))
		received(0)
		a.Ask() // the first pong is not about it
		a.Answered()
		received(5)
		publish(t, e, b.write(crmLine))
		a.Ask()
		publish(t, e, b.write(crmLine))
		a.Answered() // the second ping
		received(5)
		a.Answered()
		received(7)
		a.Close()
		received(7)
		time.Sleep(9 * time.Minute)
		received(7)
		time.Sleep(2 * time.Minute)
		received(0)
	})
}

// At most 10,000 ended sockets are remembered, the newest ones.
func TestReceivedIsBounded(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 1)
	const most = 10_000
	for i := range most + 1 {
		a := connect(t, e, "1", fmt.Sprint(i), words(""))
		resume(t, e, a, crmLine, 1)
		a.Ask()
		a.Answered()
		a.Close()
	}
	for i, want := range map[int]int64{0: 0, 1: 1, most: 1} {
		if got := e.Received("1", fmt.Sprint(i), "A", crmLine); got != want {
			t.Errorf("socket %d received %d, want %d", i, got, want)
		}
	}
}

package broadcasting_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// A socket that resumes gets what it missed of the channel, in order, and then what is
// published, each event once.
func TestResume(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 3)
	b.write("private-other")
	b.fill(crmLine, 2)
	a := connect(t, e, "1", "a", words(""))
	resume(t, e, a, crmLine, 2)
	a.await(t, 5)
	for _, seq := range []int64{5, 6} { // the relay has not published them before
		publish(t, e, broadcasting.Event{App: "1", Channel: crmLine, Name: "e", Data: "again", Seq: seq})
	}
	publish(t, e, b.write(crmLine))
	publish(t, e, broadcasting.Event{App: "1", Channel: crmLine, Name: "typing", Data: "x"})
	publish(t, e, broadcasting.Event{App: "1", Channel: crmLine, Name: "e", Data: "again", Seq: 7}) // by a relay that took over
	expect(t, a, "in "+crmLine, crmLine+" e 3", crmLine+" e 5", crmLine+" e 6", position(6), crmLine+" e 7", crmLine+" typing x")
	if st := e.Stats(); st.Resumed != 1 || st.Replayed != 3 || st.ResumeFailed != 0 {
		t.Errorf("stats %+v", st)
	}

	plain := connect(t, e, "1", "plain", words("")) // without a cursor
	join(t, plain, crmLine)
	expect(t, plain, "in "+crmLine)
	nothing := connect(t, e, "1", "nothing", words("")) // it has the last one
	resume(t, e, nothing, crmLine, 7)
	all := connect(t, e, "1", "all", words(""))
	resume(t, e, all, crmLine, 0)
	all.await(t, 8)
	testwait.Count(t, "resumed sockets", 3, func() int { return int(e.Stats().Resumed) })
	expect(t, nothing, "in "+crmLine, position(7))
	join(t, all, crmLine) // a client that lost track
	publish(t, e, b.write(crmLine))
	if got := all.take(); len(got) != 10 || got[8] != "in "+crmLine || got[9] != crmLine+" e 8" {
		t.Errorf("all got %q", got)
	}
}

// A position that the journal cannot continue from is told, and then the socket is live.
func TestResumeFails(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 9)
	b.prune(5)
	for id, after := range map[string]int64{"too old": 3, "of another journal": 10} {
		a := connect(t, e, "1", id, words(""))
		resume(t, e, a, crmLine, after)
		a.await(t, 3)
		expect(t, a, "in "+crmLine, "failed "+crmLine+" 6 9", position(9))
	}
	edge := connect(t, e, "1", "edge", words(""))
	resume(t, e, edge, crmLine, 5)
	edge.await(t, 6)
	checkOrder(t, "edge", edge.take(), 5, 9)
	ahead := connect(t, e, "1", "ahead", words(""))
	resume(t, e, ahead, crmLine, 100)
	ahead.await(t, 3)
	publish(t, e, b.write(crmLine))
	ahead.await(t, 4)
	expect(t, ahead, "in "+crmLine, "failed "+crmLine+" 6 9", position(9), crmLine+" e 10")
}

// An entry that cannot be read is told, and what follows it comes.
func TestResumePastAGap(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 6)
	b.bad = 4
	before, after := connect(t, e, "1", "before", words("")), connect(t, e, "1", "after", words(""))
	resume(t, e, before, crmLine, 0)
	resume(t, e, after, crmLine, 5)
	before.await(t, 8)
	after.await(t, 3)
	want := append([]string{"in " + crmLine}, numbered(1, 3)...)
	want = append(append(want, "failed "+crmLine+" 5 4"), numbered(5, 6)...)
	expect(t, before, append(want, position(6))...)
	checkOrder(t, "after", after.take(), 5, 6)
}

// While events are published at a high rate, sockets come from anywhere in the journal. Each
// gets all events after its own, once and in order.
func TestResumeWhileEventsArePublished(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 700) // more than a page
	const more, sockets = 3000, 40
	var publishing sync.WaitGroup
	begin := make(chan struct{})
	publishing.Go(func() {
		<-begin
		for range more {
			if err := e.Publish(context.Background(), b.write(crmLine)); err != nil {
				t.Error(err)
			}
		}
	})
	boxes, afters := make([]*mailbox, sockets), make([]int, sockets)
	for i := range boxes {
		if i == 5 {
			close(begin)
		}
		boxes[i], afters[i] = connect(t, e, "1", strconv.Itoa(i), words("")), rand.IntN(700)
		resume(t, e, boxes[i], crmLine, int64(afters[i]))
	}
	publishing.Wait()
	testwait.Count(t, "resumed sockets", sockets, func() int { return int(e.Stats().Resumed) })
	for i, m := range boxes {
		checkOrder(t, m.id, m.take(), afters[i], 700+more)
	}
}

// A client whose connection is cut after any frame of a replay, and that comes back with
// the last event it has, ends up with all events, once and in order.
func TestResumeCutAfterEachFrame(t *testing.T) {
	e, b := resuming(t)
	const missed = 30
	b.fill(crmLine, missed)
	for k := range missed + 1 {
		first := connectPaced(t, e, fmt.Sprint("first ", k), max(k, 1))
		resume(t, e, first.mailbox, crmLine, 0)
		first.await(t, max(k, 1)+1)
		first.Close()
		got := first.take()[:k+1] // the others were cut off
		second := connect(t, e, "1", fmt.Sprint("second ", k), words(""))
		resume(t, e, second, crmLine, int64(k))
		second.await(t, missed-k+2)
		checkOrder(t, fmt.Sprint("cut after ", k), append(got, second.take()[1:]...), 0, missed)
	}
}

// A slow socket gets a long replay in pieces, while neither publishers nor other sockets
// wait. Nothing that is published meanwhile is kept for it, and nothing is left out.
func TestResumeIsPaced(t *testing.T) {
	e, b := resuming(t)
	const missed, more = 10_000, 2000
	b.fill(crmLine, missed)
	slow, quick := connectPaced(t, e, "slow", 100), connect(t, e, "1", "quick", words(""))
	resume(t, e, slow.mailbox, crmLine, 0)
	slow.await(t, 101)
	within(t, "another socket", func() {
		resume(t, e, quick, crmLine, missed-600)
		quick.await(t, 602)
	})
	within(t, "a publisher", func() {
		for range more {
			publish(t, e, b.write(crmLine))
		}
	})
	checkOrder(t, "the quick one", quick.take(), missed-600, missed+more)
	var got []string
	for deadline := time.Now().Add(testwait.Long); !slices.Contains(got, position(missed+more)); {
		slow.read()
		got = append(got, slow.take()...)
		if time.Now().After(deadline) {
			t.Fatalf("the slow one has %d frames", len(got))
		}
	}
	checkOrder(t, "the slow one", got, 0, missed+more)
}

// A history that cannot be read for a while delays a replay and loses nothing.
func TestResumeReadsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 2)
		fails := 5
		b.onRead(func(context.Context) error {
			if fails--; fails >= 0 {
				return errors.New("the database is away")
			}
			return nil
		})
		a := connect(t, e, "1", "a", words(""))
		resume(t, e, a, crmLine, 0)
		synctest.Wait()
		publish(t, e, b.write(crmLine))
		time.Sleep(time.Minute)
		checkOrder(t, "a", a.take(), 0, 3)
		publish(t, e, b.write(crmLine))
		expect(t, a, numbered(4, 4)...)
		a.Close()
	})
}

// What is read for a socket that left, or whose user lost the channel meanwhile, is not
// sent.
func TestResumeEndsWithTheSubscription(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(t *testing.T, e *broadcasting.Engine, a *mailbox)
		last string
	}{
		"closed":       {func(t *testing.T, e *broadcasting.Engine, a *mailbox) { a.Close() }, ""},
		"unsubscribed": {func(t *testing.T, e *broadcasting.Engine, a *mailbox) { a.Unsubscribe(crmLine) }, ""},
		"revoked":      {func(t *testing.T, e *broadcasting.Engine, a *mailbox) { unsubscribe(t, e, "A", crmLine) }, "revoked " + crmLine},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, b := resuming(t)
				b.fill(crmLine, 3)
				a := connect(t, e, "1", "a", words(""))
				b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
				resume(t, e, a, crmLine, 0)
				synctest.Wait()
				test.end(t, e, a)
				time.Sleep(time.Minute)
				got := []string{"in " + crmLine}
				if test.last != "" {
					got = append(got, test.last)
				}
				expect(t, a, got...)
				a.Close()
			})
		})
	}
}

// A reader who may not read the channel any more is told so, and is out of it.
func TestResumeOfALostChannel(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 3)
	a := connect(t, e, "1", "a", words(""))
	grant(t, e, "1", "a", crmLine, "B") // book denies B
	w := want(t, crmLine)
	w.NeedsGrant, w.Resume = true, true
	if err := a.Subscribe(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	a.await(t, 2)
	expect(t, a, "in "+crmLine, "revoked "+crmLine)
	if a.Channels() != 0 {
		t.Error("the socket is still in")
	}
}

// A few sockets at a time read the history, however many come back at once.
func TestResumeStorm(t *testing.T) {
	e, b := resuming(t)
	const sockets, missed = 300, 50
	b.fill(crmLine, missed)
	var mu sync.Mutex
	now, most := 0, 0
	b.onRead(func(context.Context) error {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		defer func() { mu.Lock(); now--; mu.Unlock() }()
		return nil
	})
	boxes := make([]*mailbox, sockets)
	for i := range boxes {
		boxes[i] = connect(t, e, "1", strconv.Itoa(i), words(""))
		resume(t, e, boxes[i], crmLine, 0)
	}
	testwait.Count(t, "resumed sockets", sockets, func() int { return int(e.Stats().Resumed) })
	for _, m := range boxes {
		checkOrder(t, m.id, m.take(), 0, missed)
	}
	if most > 4 {
		t.Errorf("%d reads at a time", most)
	}
}

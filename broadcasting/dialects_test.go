package broadcasting_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"chatcast/broadcasting"
)

// quiet is a dialect that says nothing about the events with one name.
type quiet struct {
	words
	about string
}

func (q quiet) Event(ev broadcasting.Event) []byte {
	if ev.Name == q.about {
		return nil
	}
	return q.words.Event(ev)
}

// in subscribes in a dialect.
func in(t *testing.T, m *mailbox, channel string, d broadcasting.Dialect) {
	t.Helper()
	w := want(t, channel)
	w.Dialect = d
	if err := m.Subscribe(context.Background(), w); err != nil {
		t.Fatal(err)
	}
}

// TestDialectOfSubscription checks that a socket may have channels in several dialects, and
// that another one takes effect at once.
func TestDialectOfSubscription(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, b := connect(t, e, "1", "a", words("A:")), connect(t, e, "1", "b", words("B:"))
	say := func(channel, data string) {
		t.Helper()
		publish(t, e, broadcasting.Event{App: "1", Channel: channel, Name: "n", Data: data})
	}
	in(t, a, "news", words("X:"))
	in(t, a, "sport", nil)
	in(t, b, "news", nil)
	say("news", "1")
	say("sport", "2")
	expect(t, a, "X:in news", "A:in sport", "X:news n 1", "A:sport n 2")
	in(t, a, "news", words("Y:"))
	say("news", "3")
	expect(t, a, "Y:in news", "Y:news n 3")
	in(t, a, "news", nil) // the one that it has
	in(t, b, "news", words("Y:"))
	say("news", "4")
	expect(t, a, "Y:in news", "Y:news n 4")
	expect(t, b, "B:in news", "B:news n 1", "B:news n 3", "Y:in news", "Y:news n 4")
	a.Unsubscribe("news")
	say("news", "5")
	expect(t, a)
	expect(t, b, "Y:news n 5")
	for _, m := range []*mailbox{a, b} {
		m.Close()
	}
	if st := e.Stats(); st.Channels != 0 || st.Sockets != 0 {
		t.Errorf("left: %+v", st)
	}
}

// TestManyDialects checks that dialects that nobody speaks any more take no room.
func TestManyDialects(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, stays := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words("B:"))
	in(t, stays, "news", nil)
	for i := range 1000 {
		in(t, a, "news", words(fmt.Sprint(i, ":")))
	}
	if n := broadcasting.Groups(e, "1", "news"); n > 3 {
		t.Errorf("%d groups of subscribers, of two", n)
	}
	a.take()
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "1"})
	expect(t, a, "999:news n 1")
	expect(t, stays, "B:in news", "B:news n 1")
}

// TestNothingToSay checks that an event that a dialect has nothing to say about reaches the
// others alone, live and in a replay.
func TestNothingToSay(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, b := connect(t, e, "1", "a", quiet{"", "n"}), connect(t, e, "1", "b", words(""))
	join(t, a, "news")
	join(t, b, "news")
	for _, name := range []string{"n", "other", "n"} {
		publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: name})
	}
	expect(t, a, "in news", "news other ")
	expect(t, b, "in news", "news n ", "news other ", "news n ")
	if st := e.Stats(); st.Delivered != 4 {
		t.Errorf("%d frames were counted as delivered, of 4", st.Delivered)
	}
}

// TestNothingToSayInReplay is the same for what was missed.
func TestNothingToSayInReplay(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 1200)
	a := connect(t, e, "1", "a", quiet{"", "e"})
	resume(t, e, a, crmLine, 3)
	a.await(t, 2)
	expect(t, a, "in "+crmLine, position(1200))
}

// TestOtherDialectInReplay checks that a socket that changes its dialect while it is brought
// up to date gets each event once, in one of the two.
func TestOtherDialectInReplay(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 1200)
	reading, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.onRead(func(context.Context) error {
		once.Do(func() { close(reading); <-goOn })
		return nil
	})
	a := connect(t, e, "1", "a", words("old "))
	resume(t, e, a, crmLine, 0)
	<-reading
	publish(t, e, b.write(crmLine)) // it is held, in the dialect of before
	w := want(t, crmLine)
	w.NeedsGrant, w.Dialect = true, words("")
	if err := a.Subscribe(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	a.await(t, 1+1+1201+1)
	publish(t, e, b.write(crmLine))
	got := a.take()
	if got[0] != "old in "+crmLine {
		t.Errorf("begins with %q", got[0])
	}
	checkOrder(t, "a", got[1:], 0, 1202)
}

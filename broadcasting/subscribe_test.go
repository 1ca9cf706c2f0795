package broadcasting_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// slowBroker is a broker whose next Last blocks until the test continues it.
type slowBroker struct {
	broadcasting.Broker
	next  atomic.Bool
	late  bool // Last reads after the test's changes
	asked chan struct{}
	goOn  chan error // what Last returns, if not nil
}

func (b *slowBroker) Last(ctx context.Context, app, channel string) (broadcasting.LastEvent, error) {
	last, err := b.Broker.Last(ctx, app, channel) // before the test's changes
	if !b.next.CompareAndSwap(true, false) {
		return last, err
	}
	b.asked <- struct{}{}
	select {
	case failed := <-b.goOn:
		if failed != nil {
			return broadcasting.LastEvent{}, failed
		}
	case <-ctx.Done():
		return broadcasting.LastEvent{}, ctx.Err()
	}
	if b.late {
		return b.Broker.Last(ctx, app, channel)
	}
	return last, err
}

// half is a subscription between its two phases.
type half struct {
	*mailbox
	t      *testing.T
	e      *broadcasting.Engine
	broker *slowBroker
	result chan error
}

// halfway publishes the data to cache-a, and starts the subscription of a socket up to
// the read of the last event.
func halfway(t *testing.T, channel string, data ...string) *half {
	t.Helper()
	b := &slowBroker{
		Broker: broadcasting.NewMemory(broadcasting.MemoryOptions{}).Broker(), asked: make(chan struct{}, 1), goOn: make(chan error, 1),
	}
	h := &half{t: t, e: broadcasting.NewEngine(broadcasting.Options{Broker: b}), broker: b, result: make(chan error, 1)}
	h.mailbox = connect(t, h.e, "1", "a", words(""))
	for _, d := range data {
		h.publish(channel, d)
	}
	h.subscribe(channel)
	return h
}

func (h *half) publish(channel, data string) {
	h.t.Helper()
	publish(h.t, h.e, broadcasting.Event{App: "1", Channel: channel, Name: "e", Data: data})
}

func (h *half) subscribe(channel string) {
	h.t.Helper()
	w := want(h.t, channel)
	w.Member, w.SubscriptionCount = &broadcasting.Member{ID: "A"}, true
	h.broker.next.Store(true)
	go func() { h.result <- h.Subscribe(h.t.Context(), w) }()
	select {
	case <-h.broker.asked:
	case <-time.After(testwait.Long):
		h.t.Fatal("the last event is not asked for")
	}
}

// ends continues the subscription, and returns its result.
func (h *half) ends(failed error) error {
	h.t.Helper()
	h.broker.goOn <- failed
	select {
	case err := <-h.result:
		return err
	case <-time.After(testwait.Long):
		h.t.Fatal("the subscription does not end")
		return nil
	}
}

// What is published during a subscription comes after the event that it begins with,
// once, and publishing does not wait for the read.
func TestSubscribeInTwoPhases(t *testing.T) {
	h := halfway(t, "cache-a", "before")
	h.publish("cache-a", "one")
	h.publish("cache-a", "two")
	expect(t, h.mailbox) // nothing yet
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in cache-a", "cache-a e before", "count cache-a 1", "cache-a e one", "cache-a e two")
	h.publish("cache-a", "three")
	expect(t, h.mailbox, "cache-a e three")
}

// A new subscriber begins with the last event and does not get earlier ones.
func TestSubscribeBeginsWithTheLast(t *testing.T) {
	h := halfway(t, "cache-a", "before")
	h.broker.late = true
	h.publish("cache-a", "one")
	publish(t, h.e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "client-e", Data: "1", Object: true})
	h.publish("cache-a", "two")
	publish(t, h.e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "client-e", Data: "2", Object: true})
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in cache-a", "cache-a e two", "count cache-a 1", "cache-a client-e 2")
}

func TestSubscribeToAnEmptyCache(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile []string
		want      []string
	}{
		"nothing comes":      {nil, []string{"in cache-a", "miss cache-a", "count cache-a 1"}},
		"an event meanwhile": {[]string{"one"}, []string{"in cache-a", "count cache-a 1", "cache-a e one"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := halfway(t, "cache-a")
			for _, data := range c.meanwhile {
				h.publish("cache-a", data)
			}
			if err := h.ends(nil); err != nil {
				t.Fatal(err)
			}
			expect(t, h.mailbox, c.want...)
		})
	}
}

// Members that come and go meanwhile are in the socket's member list, once.
func TestSubscribeWhileMembersCome(t *testing.T) {
	h := halfway(t, "presence-cache-a", "before")
	b, c := connect(t, h.e, "1", "b", words("")), connect(t, h.e, "1", "c", words(""))
	for m, user := range map[*mailbox]string{b: "B", c: "C"} {
		if err := joinAs(t, m, "presence-cache-a", user, "x"); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in presence-cache-a A= C=x", "presence-cache-a e before")
	c.Close()
	expect(t, h.mailbox, "removed presence-cache-a C")
}

// A subscription that is taken away between the phases stays away.
func TestSubscriptionTakenAwayMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(h *half)
		want      []string
	}{
		"it unsubscribes": {func(h *half) { h.Unsubscribe("private-cache-a") }, nil},
		"it closes":       {func(h *half) { h.Close() }, nil},
		"its access ends": {func(h *half) { unsubscribe(h.t, h.e, "7", "private-cache-a") }, []string{"revoked private-cache-a"}},
		"its app is gone": {func(h *half) { removeApp(h.t, h.e, "1") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := halfway(t, "private-cache-a", "before")
			if name == "its access ends" {
				if !grant(t, h.e, "1", "a", "private-cache-a", "7") {
					t.Fatal("not granted")
				}
				// The next subscription shows its user.
				if err := h.ends(nil); err != nil {
					t.Fatal(err)
				}
				h.Unsubscribe("private-cache-a")
				h.take()
				h.subscribe("private-cache-a")
			}
			c.meanwhile(h)
			h.publish("private-cache-a", "secret")
			if err := h.ends(nil); err != nil {
				t.Errorf("Subscribe: %v", err)
			}
			expect(t, h.mailbox, c.want...)
			h.publish("private-cache-a", "secret")
			expect(t, h.mailbox)
			if n := h.e.Stats().Channels; n != 0 {
				t.Errorf("%d channels are left", n)
			}
		})
	}
}

// When the last event cannot be read, the socket is not in, and the channel is as
// before.
func TestSubscribeWithoutABeginning(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		failed, want error
		flood        int
	}{
		"the broker fails":   {failed: broken, want: broken},
		"too much meanwhile": {flood: 40, want: broadcasting.ErrBehind},
	} {
		t.Run(name, func(t *testing.T) {
			h := halfway(t, "cache-a", "before")
			for range c.flood {
				h.publish("cache-a", strings.Repeat("x", 32<<10))
			}
			if err := h.ends(c.failed); !errors.Is(err, c.want) {
				t.Errorf("Subscribe: %v", err)
			}
			expect(t, h.mailbox)
			if h.e.Stats().Channels != 0 || h.Channels() != 0 {
				t.Error("the socket is in")
			}
			h.subscribe("cache-a")
			if err := h.ends(nil); err != nil {
				t.Error(err)
			}
			if got := h.take(); len(got) < 2 || got[0] != "in cache-a" {
				t.Errorf("the next time: %.200q", got)
			}
		})
	}
}

// A socket that subscribes again is brought up to date again, and misses nothing.
func TestSubscribeAgainInTwoPhases(t *testing.T) {
	h := halfway(t, "cache-a", "before")
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	h.take()
	h.subscribe("cache-a")
	h.publish("cache-a", "meanwhile")
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in cache-a", "cache-a e before", "cache-a e meanwhile")
	// Events that came meanwhile and are seen by the read still come once, with all
	// before them.
	h.broker.late = true
	h.subscribe("cache-a")
	h.publish("cache-a", "one")
	publish(t, h.e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "client-e", Data: "{}", Object: true})
	h.publish("cache-a", "two")
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in cache-a", "cache-a e one", "cache-a client-e {}", "cache-a e two")
	h.broker.late = false
	// When the read fails, the socket stays in.
	h.subscribe("cache-a")
	h.publish("cache-a", "three")
	if err := h.ends(errors.New("broken")); err == nil {
		t.Error("the failure is not told")
	}
	h.publish("cache-a", "meanwhile")
	expect(t, h.mailbox, "cache-a e three", "cache-a e meanwhile")
	// Two subscriptions at once: the first one answers for both.
	h.subscribe("cache-a")
	if err := h.Subscribe(t.Context(), want(t, "cache-a")); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox)
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in cache-a", "cache-a e meanwhile")
}

// An event that the read has returned may arrive at this node later: the socket gets it
// once.
func TestSubscribeBeforeTheEventArrives(t *testing.T) {
	late := &lateBroker{Broker: broadcasting.NewMemory(broadcasting.MemoryOptions{}).Broker()}
	e := broadcasting.NewEngine(broadcasting.Options{Broker: late})
	a := connect(t, e, "1", "a", words(""))
	for _, data := range []string{"one", "two", "three"} {
		publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: data})
	}
	join(t, a, "cache-a")
	expect(t, a, "in cache-a", "cache-a e three")
	publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "four"})
	late.arrive(2) // one and two
	expect(t, a)
	join(t, a, "cache-a") // again, while three, which it has, and four are on their way
	expect(t, a, "in cache-a")
	late.arrive(2)
	expect(t, a, "cache-a e four")
	publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "five"})
	late.arrive(1)
	expect(t, a, "cache-a e five")
}

// lateBroker holds events back until arrive is called.
type lateBroker struct {
	broadcasting.Broker
	waiting []func()
}

func (b *lateBroker) Attach(deliver func(broadcasting.Event, uint64)) {
	b.Broker.Attach(func(ev broadcasting.Event, version uint64) {
		b.waiting = append(b.waiting, func() { deliver(ev, version) })
	})
}

func (b *lateBroker) arrive(n int) {
	for _, deliver := range b.waiting[:n] {
		deliver()
	}
	b.waiting = b.waiting[n:]
}

// Members that come while a repeated subscription fails are not lost either.
func TestSubscribeAgainWhileMembersCome(t *testing.T) {
	h := halfway(t, "presence-cache-a", "before")
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	h.take()
	b := connect(t, h.e, "1", "b", words(""))
	h.subscribe("presence-cache-a")
	if err := joinAs(t, b, "presence-cache-a", "B", "x"); err != nil {
		t.Fatal(err)
	}
	if err := h.ends(errors.New("broken")); err == nil {
		t.Error("the failure is not told")
	}
	expect(t, h.mailbox, "added presence-cache-a B=x")
	h.subscribe("presence-cache-a")
	b.Close()
	if err := h.ends(nil); err != nil {
		t.Fatal(err)
	}
	expect(t, h.mailbox, "in presence-cache-a A=", "presence-cache-a e before")
}

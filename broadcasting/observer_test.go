package broadcasting_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// timed is a socket that notes for which frames it was asked to tell when they left.
type timed struct {
	frames int
	marks  []*broadcasting.Mark
}

func (q *timed) Queue([]byte) { q.frames++ }

func (q *timed) QueueMarked(frame []byte, mark *broadcasting.Mark) {
	q.Queue(frame)
	q.marks = append(q.marks, mark)
}

// observed counts and keeps the last time.
type observed struct {
	n    int
	last float64
}

func (o *observed) Observe(seconds float64) { o.n, o.last = o.n+1, seconds }

// lagging is a broker that takes a second to bring an event.
type lagging struct {
	broadcasting.Broker
	deliver func(broadcasting.Event, uint64)
}

func (b *lagging) Attach(deliver func(broadcasting.Event, uint64)) {
	b.deliver = deliver
	b.Broker.Attach(func(ev broadcasting.Event, version uint64) {
		time.Sleep(time.Second) // in fake time
		deliver(ev, version)
	})
}

// TestDeliveryIsMeasured publishes events: each that somebody receives is measured once,
// and of a journalled one a single socket is asked when the frame left.
func TestDeliveryIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := &observed{}
		nodes := broadcasting.NewMemory(broadcasting.MemoryOptions{})
		e := broadcasting.NewEngine(broadcasting.Options{
			Broker: &lagging{Broker: nodes.Broker()}, Presence: nodes.Presence(), Control: nodes.Control(), Queued: queue,
		})
		out := [3]*timed{{}, {}, {}}
		for i, q := range out {
			c, err := e.Connect(broadcasting.Peer{App: "1", ID: string(rune('a' + i)), Dialect: words(""), Out: q})
			if err != nil {
				t.Fatal(err)
			}
			join(t, &mailbox{Conn: c}, "news")
		}
		publish(t, e, broadcasting.Event{App: "1", Channel: "empty", Name: "n", Mark: &broadcasting.Mark{}})
		publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n"})
		publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Mark: &broadcasting.Mark{}})
		publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Mark: &broadcasting.Mark{}, Except: "c"})
		if queue.n != 3 || queue.last != 1 {
			t.Errorf("measured %d events, the last with %v s", queue.n, queue.last)
		}
		for i, want := range [][2]int{{4, 0}, {4, 1}, {3, 1}} {
			if out[i].frames != want[0] || len(out[i].marks) != want[1] {
				t.Errorf("socket %d has %d frames and was asked %d times, want %v", i, out[i].frames, len(out[i].marks), want)
			}
		}
	})
}

// counter is an observer and a socket that allocate nothing.
type counter struct{ n atomic.Int64 }

func (c *counter) Observe(float64)                        { c.n.Add(1) }
func (c *counter) Queue([]byte)                           { c.n.Add(1) }
func (c *counter) QueueMarked([]byte, *broadcasting.Mark) { c.n.Add(1) }

// TestMeasuringAllocatesNothing publishes with and without measuring.
func TestMeasuringAllocatesNothing(t *testing.T) {
	perEvent := func(queued broadcasting.Observer, mark *broadcasting.Mark) float64 {
		e := broadcasting.NewEngine(broadcasting.Options{Queued: queued})
		c, err := e.Connect(broadcasting.Peer{App: "1", ID: "a", Dialect: fixed{}, Out: &counter{}})
		if err != nil {
			t.Fatal(err)
		}
		join(t, &mailbox{Conn: c}, "news")
		ev := broadcasting.Event{App: "1", Channel: "news", Name: "n", Mark: mark}
		return testing.AllocsPerRun(1000, func() { publish(t, e, ev) })
	}
	without := perEvent(nil, nil)
	if with := perEvent(&counter{}, &broadcasting.Mark{Committed: 5}); with > without {
		t.Errorf("%v allocations for an event, %v without measuring", with, without)
	}
}

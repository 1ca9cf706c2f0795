package broadcasting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Entry is one numbered event of the journal.
type Entry struct {
	Seq      int64
	Name     string
	Channels []string // full names; the event goes once to each
	Data     string   // as published

	Mark *Mark // nil: it is not measured

	// Of the history of an app's channel.
	Except string // the socket that does not get it; empty: none
	TimeMS int64  // when it was published, in unix milliseconds
}

// Journal holds the events that the relay publishes. They were committed together with
// the changes that caused them.
type Journal interface {
	// Lead waits until no other node runs the relay, then calls lead and returns when
	// lead has. ctx ends only the waiting. held ends when the leadership is lost.
	// appended is called whenever there may be new entries, and once when listening to
	// the journal has begun.
	Lead(ctx context.Context, appended func(), lead func(held context.Context) error) error
	// Number gives the next numbers to at most limit committed entries, and returns how
	// many. If it returns limit, there may be more.
	Number(ctx context.Context, limit int) (int, error)
	// Unpublished lists at most limit numbered entries that are not marked
	// published, in order.
	Unpublished(ctx context.Context, limit int) ([]Entry, error)
	// MarkPublished notes that all entries up to seq were published.
	MarkPublished(ctx context.Context, seq int64) error
	// Prune removes published entries older than before. It looks only at the first
	// limit entries, and returns how many it removed.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
}

// RelayOptions are the options of a Relay.
type RelayOptions struct {
	Journal Journal
	// Publish hands an event to the broker. It is called by one goroutine, in the order
	// of the numbers. After an error, the relay tries the same event again.
	Publish func(ctx context.Context, ev Event) error
	// Mark is set instead of Publish when every node reads the journal by itself, see Tail.
	// It marks all numbered entries published, and returns the last number.
	Mark      func(ctx context.Context) (seq int64, err error)
	App       string // the app that carries the events
	Log       *slog.Logger
	Retention time.Duration // the least time for which entries are kept; 0: for ever
	Poll      time.Duration // how often to look without being woken; 0 is 5 s
	Grace     time.Duration // how long the last round may take at the end; 0 is 10 s
	// Clock returns the time, and how long the process has run, which nobody puts right; nil:
	// those of the system.
	Clock func() (wall time.Time, ran time.Duration)
}

// Bounds and intervals of the relay.
const (
	relayBatch    = 500 // entries per transaction
	defaultPoll   = 5 * time.Second
	defaultGrace  = 10 * time.Second
	backoffFirst  = 100 * time.Millisecond
	backoffMost   = 5 * time.Second
	pruneInterval = time.Minute
	leap          = time.Hour
	keepAfterLeap = 24 * time.Hour
)

// Relay publishes the events of the journal: it numbers committed entries, publishes
// them in the order of the numbers, and marks the published ones. One relay of the
// cluster does this, the others stand by.
//
// An entry gets its number once and durably before it is published. When a relay dies
// between publishing and marking, the next one publishes the same events again, under
// the same numbers: receivers drop those they have.
type Relay struct {
	// static
	RelayOptions
	wake chan struct{} // holds one: "look again"

	// owned by the leading goroutine
	doneSeq   int64         // the last entry that went to all its channels, marked or not
	partSeq   int64         // an entry that went to some of its channels only
	partDone  int           // how many of them
	entries   uint64        // how many entries went to all their channels
	pruneAt   time.Time     // when to prune next
	wall      time.Time     // at the last look of leapt
	ran       time.Duration // the same
	keepUntil time.Duration // nothing is pruned before the process has run so long

	mu     sync.Mutex // guards all below
	health RelayHealth
}

// RelayHealth is the state of the relay.
type RelayHealth struct {
	Listening bool      // to the journal, leading or standing by
	Leading   bool      // this node publishes
	Published int64     // the last number that this node published; 0 before its first
	Entries   uint64    // how many entries this node has published
	LastRound time.Time // when the last complete round ended
	Err       error     // of the last attempt; nil when it succeeded
}

// NewRelay returns a relay. It does nothing until Run is called.
func NewRelay(o RelayOptions) *Relay {
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Clock == nil {
		o.Clock = systemClock()
	}
	r := &Relay{RelayOptions: o, wake: make(chan struct{}, 1)}
	r.wall, r.ran = o.Clock()
	return r
}

// Wake tells the relay that the journal has grown. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Health returns the state of the relay.
func (r *Relay) Health() RelayHealth {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health
}

// Ready returns nil when events flow, or would flow as soon as this node leads.
func (r *Relay) Ready() error {
	h := r.Health()
	switch {
	case h.Err != nil:
		return fmt.Errorf("relay: %w", h.Err)
	case !h.Listening:
		return errors.New("relay: does not listen to the journal yet")
	case h.Leading && time.Since(h.LastRound) > 3*r.Poll+backoffMost:
		return fmt.Errorf("relay: no round was finished since %s", h.LastRound.Format(time.RFC3339))
	}
	return nil
}

// Run relays until ctx ends, then finishes what was committed by then, for at most
// Grace. It always returns nil: failures are logged, reported by Ready and tried again.
func (r *Relay) Run(ctx context.Context) error {
	wait := backoff{}
	for ctx.Err() == nil {
		err := r.Journal.Lead(ctx, r.appended, func(held context.Context) error {
			wait = backoff{}
			return r.lead(ctx, held)
		})
		if ctx.Err() != nil {
			break
		}
		r.note(func(h *RelayHealth) { h.Listening, h.Leading, h.Err = false, false, err })
		r.Log.WarnContext(ctx, "relay lost the journal, trying again", "error", err)
		wait.sleep(ctx)
	}
	r.note(func(h *RelayHealth) { h.Listening, h.Leading = false, false })
	return nil
}

func (r *Relay) appended() {
	r.note(func(h *RelayHealth) {
		if !h.Listening {
			h.Listening, h.Err = true, nil
		}
	})
	r.Wake()
}

func (r *Relay) note(change func(h *RelayHealth)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.health)
}

// backoff waits longer each time, up to backoffMost.
type backoff struct{ next time.Duration }

// longer returns the time to wait, and doubles the next one.
func (b *backoff) longer() time.Duration {
	b.next = min(max(2*b.next, backoffFirst), backoffMost)
	return b.next
}

// sleep waits until its time has passed or ctx ends.
func (b *backoff) sleep(ctx context.Context) {
	t := time.NewTimer(b.longer())
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

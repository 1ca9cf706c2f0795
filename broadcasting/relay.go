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
}

// Journal is what the relay reads: events that were committed with the changes
// that caused them.
type Journal interface {
	// Lead waits until no other node runs the relay, then runs lead and returns
	// when lead has. ctx ends the waiting only; held ends when the leadership is
	// lost. appended is called whenever there may be new entries, and once when
	// the journal is being listened to.
	Lead(ctx context.Context, appended func(), lead func(held context.Context) error) error
	// Number gives the next numbers to at most limit committed entries, and
	// returns how many; limit says that there may be more.
	Number(ctx context.Context, limit int) (int, error)
	// Unpublished lists at most limit numbered entries that are not marked
	// published, in order.
	Unpublished(ctx context.Context, limit int) ([]Entry, error)
	// MarkPublished notes that all entries up to seq were published.
	MarkPublished(ctx context.Context, seq int64) error
	// Prune removes published entries older than before, looking at the first
	// limit ones, and returns how many it removed.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
}

// RelayOptions are what a Relay is made of.
type RelayOptions struct {
	Journal Journal
	// Publish hands an event to the bus. It is called by one goroutine, in the
	// order of the numbers; an error makes the relay try the same event again.
	Publish   func(ctx context.Context, ev Event) error
	App       string // the app that carries the events
	Log       *slog.Logger
	Retention time.Duration // how long entries are kept at least; 0: for ever
	Poll      time.Duration // how often to look without being woken; 0 is 5 s
	Grace     time.Duration // how long the last round may take at the end; 0 is 10 s
}

// The relay's measures.
const (
	relayBatch    = 500 // entries per transaction
	defaultPoll   = 5 * time.Second
	defaultGrace  = 10 * time.Second
	backoffFirst  = 100 * time.Millisecond
	backoffMost   = 5 * time.Second
	pruneInterval = time.Minute
)

// Relay takes the events from the journal to the bus: it numbers what was
// committed, publishes in the order of the numbers, and marks what is published.
// One relay of the cluster does it, the others stand by.
//
// A number is given once and durably before anything is published under it. A
// relay that dies between publishing and marking leaves the next one to publish
// the same events again, under the same numbers: receivers drop what they have.
type Relay struct {
	// static
	RelayOptions
	wake chan struct{} // holds one: "look again"

	// owned by the leading goroutine
	doneSeq  int64     // the last entry that went to all its channels, marked or not
	partSeq  int64     // an entry that went to some of its channels only
	partDone int       // to how many
	entries  uint64    // how many went to all their channels
	pruneAt  time.Time // when to prune next

	mu     sync.Mutex // guards all below
	health RelayHealth
}

// RelayHealth is how the relay is doing.
type RelayHealth struct {
	Listening bool      // to the journal, leading or standing by
	Leading   bool      // this node publishes
	Published int64     // the last number that this node published; 0 before its first
	Entries   uint64    // how many entries this node has published
	LastRound time.Time // when all that was there had been published
	Err       error     // of the last attempt; nil when it succeeded
}

// NewRelay returns a relay that Run is to be called on.
func NewRelay(o RelayOptions) *Relay {
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	return &Relay{RelayOptions: o, wake: make(chan struct{}, 1)}
}

// Wake tells the relay that the journal has grown. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Health says how the relay is doing.
func (r *Relay) Health() RelayHealth {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health
}

// Ready returns nil when events flow, or would as soon as this node leads.
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

// Run relays until ctx ends, then finishes what was committed by then, for
// Grace at most. It always returns nil: whatever fails is logged, shown by Ready
// and tried again.
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

// backoff waits longer each time.
type backoff struct{ next time.Duration }

// sleep waits until its time has passed or ctx ends.
func (b *backoff) sleep(ctx context.Context) {
	b.next = min(max(2*b.next, backoffFirst), backoffMost)
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

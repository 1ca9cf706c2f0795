package broadcasting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// TailJournal is the part of the journal that a Tail reads.
type TailJournal interface {
	// LastPublished returns the number of the last published entry.
	LastPublished(ctx context.Context) (int64, error)
	// PublishedAfter lists at most limit published entries with numbers above seq, in
	// order. Between two numbers that are kept, none is missing.
	PublishedAfter(ctx context.Context, seq int64, limit int) ([]Entry, error)
	// Grown returns a channel that is closed when entries are published after this call,
	// by any node.
	Grown() <-chan struct{}
}

// TailOptions are the options of a Tail.
type TailOptions struct {
	Journal TailJournal
	Deliver func(ctx context.Context, ev Event) error // gives an event to the sockets of this node
	Missed  func()                                    // is called when entries are gone that this node has not delivered
	App     string                                    // the app that carries the events
	Log     *slog.Logger
	Poll    time.Duration // how often to look without being woken; 0 is 1 s
}

// defaultTailPoll is short, because a node that hears no notifications still delivers by
// it.
const defaultTailPoll = time.Second

// Tail delivers what is published in the journal to the sockets of one node of a cluster:
// each node reads it by itself, so a lost notification costs latency and never an event.
// The Relay of the cluster only numbers the entries and marks them published.
type Tail struct {
	// static
	TailOptions

	// owned by Run
	started bool
	seq     int64 // the last entry that was delivered, or was there at the start

	mu sync.Mutex
	// guarded by mu
	err       error // of the last round
	last      time.Time
	delivered int64 // seq, for Delivered
}

// NewTail returns a Tail. It does nothing until Start or Run is called.
func NewTail(o TailOptions) *Tail {
	if o.Poll <= 0 {
		o.Poll = defaultTailPoll
	}
	return &Tail{TailOptions: o, last: time.Now()}
}

// Start notes the end of the journal: what is published from here on is delivered. It is
// called before the first socket connects, and before Run.
func (t *Tail) Start(ctx context.Context) (err error) {
	t.seq, err = t.Journal.LastPublished(ctx)
	t.started = err == nil
	t.note(t.seq)
	return err
}

// Delivered returns the number of the last entry that this node has delivered.
func (t *Tail) Delivered() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.delivered
}

func (t *Tail) note(seq int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delivered = seq
}

// Ready returns nil when this node delivers what is published.
func (t *Tail) Ready() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.err != nil:
		return fmt.Errorf("tail: %w", t.err)
	case time.Since(t.last) > 3*t.Poll+backoffMost:
		return errors.New("tail: the journal was not read for too long")
	}
	return nil
}

// Run delivers until ctx ends; then it returns nil. Failures are logged, reported by Ready
// and tried again.
func (t *Tail) Run(ctx context.Context) error {
	poll := time.NewTicker(t.Poll)
	defer poll.Stop()
	wait := backoff{}
	for ctx.Err() == nil {
		grown := t.Journal.Grown() // before the round, so that nothing is left behind it
		err := t.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		t.mu.Lock()
		t.err = err
		if err == nil {
			t.last = time.Now()
		}
		t.mu.Unlock()
		if err != nil {
			t.Log.WarnContext(ctx, "the journal could not be read, trying again", "error", err)
			wait.sleep(ctx)
			continue
		}
		wait = backoff{}
		select {
		case <-ctx.Done():
		case <-grown:
		case <-poll.C:
		}
	}
	return nil
}

// round delivers everything that is published.
func (t *Tail) round(ctx context.Context) error {
	if !t.started {
		if err := t.Start(ctx); err != nil {
			return err
		}
	}
	for {
		entries, err := t.Journal.PublishedAfter(ctx, t.seq, relayBatch)
		if err != nil {
			return err
		}
		if len(entries) > 0 && entries[0].Seq != t.seq+1 {
			t.Log.ErrorContext(ctx, "this node was held up for so long that events are no longer in the journal", "from", t.seq+1, "to", entries[0].Seq-1)
			t.Missed()
		}
		for _, e := range entries {
			for _, channel := range e.Channels {
				ev := Event{App: t.App, Channel: channel, Name: e.Name, Data: e.Data, Seq: e.Seq, Mark: e.Mark}
				if err := t.Deliver(ctx, ev); err != nil {
					return err
				}
			}
			t.seq = e.Seq
		}
		t.note(t.seq)
		if len(entries) < relayBatch {
			return nil
		}
	}
}

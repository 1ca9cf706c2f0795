package broadcasting

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
)

// replays holds the subscribers that are due to be brought up to date. A few goroutines
// take turns with them, a page for each, so that many sockets that come back at once
// neither crowd the database nor wait for a single long replay.
type replays struct {
	// static
	history History // set before the first socket; nil: there is none
	log     *slog.Logger
	wake    chan struct{} // holds one for each reader

	done     atomic.Uint64 // subscribers that are up to date, with all that they missed
	lost     atomic.Uint64 // how often a position could not be continued from
	replayed atomic.Uint64 // events

	mu  sync.Mutex
	due []*replay // guarded by mu
}

// SetHistory lets sockets resume from an earlier event, see SubscribeRequest. It must be
// called before Run and before the first socket connects.
func (e *Engine) SetHistory(h History, log *slog.Logger) { e.replays.history, e.replays.log = h, log }

// add puts r in the queue of those that are due.
func (p *replays) add(r *replay) {
	p.mu.Lock()
	p.due = append(p.due, r)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default: // as many as there are readers will look
	}
}

// next returns the first that is due, or nil.
func (p *replays) next() (r *replay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due) > 0 {
		r, p.due[0] = p.due[0], nil
		p.due = p.due[1:]
	}
	return r
}

// runReplays takes turns with the subscribers that are due until ctx ends.
func (e *Engine) runReplays(ctx context.Context) error {
	for ctx.Err() == nil {
		if r := e.replays.next(); r != nil {
			e.step(ctx, r)
			continue
		}
		select {
		case <-ctx.Done():
		case <-e.replays.wake:
		}
	}
	return nil
}

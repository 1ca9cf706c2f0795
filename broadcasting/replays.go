package broadcasting

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// replays holds the subscribers that are due to be brought up to date. A few goroutines
// take turns with the people, a page for each, so that many sockets that come back at once
// neither crowd the database nor wait for a long replay, or for the many of one person.
type replays struct {
	// static
	history History // set before the first socket; nil: there is none
	log     *slog.Logger
	wake    chan struct{} // holds one for each reader

	done     atomic.Uint64 // subscribers that are up to date, with all that they missed
	lost     atomic.Uint64 // how often a position could not be continued from
	replayed atomic.Uint64 // events

	mu sync.Mutex
	// guarded by mu
	due   map[string][]*replay // by reader; never empty
	turns []string             // the readers of due, the next one first
}

// SetHistory lets sockets resume from an earlier event, see SubscribeRequest. It must be
// called before Run and before the first socket connects.
func (e *Engine) SetHistory(h History, log *slog.Logger) { e.replays.history, e.replays.log = h, log }

// add puts r in the queue of those that are due.
func (p *replays) add(r *replay) {
	p.mu.Lock()
	if p.due == nil {
		p.due = map[string][]*replay{}
	}
	if len(p.due[r.reader]) == 0 {
		p.turns = append(p.turns, r.reader)
	}
	p.due[r.reader] = append(p.due[r.reader], r)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default: // as many as there are readers will look
	}
}

// next returns the first that is due of the person whose turn it is, with others of its
// channel that are near it.
func (p *replays) next() (group []*replay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.turns) == 0 {
		return nil
	}
	reader := p.turns[0]
	first := p.due[reader][0]
	p.due[reader] = slices.Delete(p.due[reader], 0, 1)
	group = append(group, first)
	p.turns = append(p.turns[1:], reader)
	look := replayLook
	for _, reader := range p.turns {
		due := p.due[reader]
		n := min(len(due), look)
		rest := slices.DeleteFunc(due[:n:n], func(r *replay) bool {
			shares := len(group) < replayGroup && first.near(r)
			if shares {
				group = append(group, r)
			}
			return shares
		})
		p.due[reader] = slices.Delete(due, len(rest), n)
		if look -= n; look == 0 {
			break
		}
	}
	p.turns = slices.DeleteFunc(p.turns, func(reader string) bool {
		if len(p.due[reader]) > 0 {
			return false
		}
		delete(p.due, reader)
		return true
	})
	return group
}

// near reports whether one page may serve both.
func (r *replay) near(other *replay) bool {
	distance := other.has - r.has
	return other.s.ch == r.s.ch && !r.alone && !other.alone && -replayPage <= distance && distance <= replayPage
}

// runReplays takes turns with the subscribers that are due until ctx ends.
func (e *Engine) runReplays(ctx context.Context) error {
	for ctx.Err() == nil {
		if group := e.replays.next(); group != nil {
			e.step(ctx, group)
			continue
		}
		select {
		case <-ctx.Done():
		case <-e.replays.wake:
		}
	}
	return nil
}

// step does one read for each view in the group, of one channel, if its sockets have room
// for it. All of them begin before the first view is made: nothing that happens after it may
// be dropped, as the view may not have it.
func (e *Engine) step(ctx context.Context, group []*replay) {
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	readers := map[string]string{} // their views
	views := map[string][]begun{}
	for _, r := range e.begin(group) {
		view, known := readers[r.reader]
		if !known {
			var err error
			if view, err = e.replays.history.View(ctx, r.reader, r.s.ch.key.name); err != nil {
				e.unread(ctx, r.replay, err)
				continue
			}
			readers[r.reader] = view
		}
		views[view] = append(views[view], r)
	}
	for view, group := range views {
		e.read(ctx, view, group)
	}
}

// begun is a replay that takes part in a read, and the number after which it reads.
type begun struct {
	*replay
	after int64
}

// begin returns those of the group that take part in a read.
func (e *Engine) begin(group []*replay) (in []begun) {
	for _, r := range group {
		if paced, ok := r.s.conn.peer.Out.(PacedQueue); ok && !paced.Room(func() { e.replays.add(r) }) {
			continue
		}
		if has, ok := r.begin(); ok {
			in = append(in, begun{r, has})
		}
	}
	return in
}

// read does one read for subscribers with one view of one channel.
func (e *Engine) read(ctx context.Context, view string, in []begun) {
	from := in[0].after
	for _, r := range in {
		from = min(from, r.after)
	}
	missed, err := e.replays.history.Since(ctx, in[0].s.ch.key.name, view, from, replayPage)
	frames := map[Dialect][]numberedFrame{}
	for _, r := range in {
		if err != nil {
			e.unread(ctx, r.replay, err)
			continue
		}
		dialect := r.s.conn.peer.Dialect
		if frames[dialect] == nil {
			frames[dialect] = missed.encode(dialect, r.s.ch.key)
		}
		switch resumed := r.s.conn.peer.Resumed; {
		case !r.advance(missed, from, frames[dialect]):
			e.replays.add(r.replay)
		case resumed != nil:
			resumed()
		}
	}
}

// encode returns the entries as frames of a channel.
func (m Missed) encode(d Dialect, ch key) []numberedFrame {
	frames := make([]numberedFrame, len(m.Entries))
	for i, entry := range m.Entries {
		ev := Event{App: ch.app, Channel: ch.name, Name: entry.Name, Data: entry.Data, Seq: entry.Seq}
		frames[i] = numberedFrame{entry.Seq, d.Event(ev)}
	}
	return frames
}

// unread handles a read that failed: a reader who lost the channel leaves it, others try
// again a little later.
func (e *Engine) unread(ctx context.Context, r *replay, err error) {
	name := r.s.ch.key.name
	if errors.Is(err, ErrRevoked) {
		r.s.conn.unsubscribeUser(name, r.reader)
		return
	}
	wait := r.failed()
	if !errors.Is(err, context.Canceled) { // else the node stops
		e.replays.log.WarnContext(ctx, "missed events could not be read, trying again",
			"socket", r.s.conn.peer.ID, "channel", name, "error", err)
	}
	time.AfterFunc(wait, func() { e.replays.add(r) })
}

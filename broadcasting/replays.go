package broadcasting

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
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

// next returns the first that is due, with others of its channel that are near it.
func (p *replays) next() (group []*replay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due) == 0 {
		return nil
	}
	first, look := p.due[0], min(len(p.due), replayLook)
	others := look // where those begin that are left
	for i := look - 1; i >= 0; i-- {
		r := p.due[i]
		if i == 0 || len(group) < replayGroup-1 && first.near(r) {
			group = append(group, r)
			continue
		}
		others--
		p.due[others] = r
	}
	clear(p.due[:others])
	p.due = p.due[others:]
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
// for it.
func (e *Engine) step(ctx context.Context, group []*replay) {
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	readers := map[string]string{} // their views
	views := map[string][]*replay{}
	for _, r := range group {
		if paced, ok := r.s.conn.peer.Out.(PacedQueue); ok && !paced.Room(func() { e.replays.add(r) }) {
			continue
		}
		view, known := readers[r.reader]
		if !known {
			var err error
			if view, err = e.replays.history.View(ctx, r.reader, r.s.ch.key.name); err != nil {
				e.unread(ctx, r, err)
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

// read does one read for subscribers with one view of one channel.
func (e *Engine) read(ctx context.Context, view string, group []*replay) {
	from, in := int64(0), group[:0]
	for _, r := range group {
		if has, ok := r.begin(); ok {
			if len(in) == 0 || has < from {
				from = has
			}
			in = append(in, r)
		}
	}
	if len(in) == 0 {
		return
	}
	missed, err := e.replays.history.Since(ctx, in[0].s.ch.key.name, view, from, replayPage)
	frames := map[Dialect][]numberedFrame{}
	for _, r := range in {
		if err != nil {
			e.unread(ctx, r, err)
			continue
		}
		dialect := r.s.conn.peer.Dialect
		if frames[dialect] == nil {
			frames[dialect] = missed.encode(dialect, r.s.ch.key)
		}
		switch resumed := r.s.conn.peer.Resumed; {
		case !r.advance(missed, from, frames[dialect]):
			e.replays.add(r)
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

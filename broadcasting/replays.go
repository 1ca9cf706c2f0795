package broadcasting

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/channels"
)

// replays holds the subscribers that are due to be brought up to date. A few goroutines
// take turns with the people, a page for each, so that many sockets that come back at once
// neither crowd the database nor wait for a long replay, or for the many of one person.
type replays struct {
	// static
	history History                  // set before the first socket; nil: there is none
	apps    func(app string) History // of the channels that are not the CRM's; likewise
	log     *slog.Logger
	wake    chan struct{} // holds one for each reader

	done     atomic.Uint64 // subscribers that are up to date, with all that they missed
	lost     atomic.Uint64 // how often a position could not be continued from
	replayed atomic.Uint64 // events

	mu  sync.Mutex
	due dueReplays // guarded by mu
}

// SetHistory lets sockets resume from an earlier event, see SubscribeRequest. It must be
// called before Run and before the first socket connects.
func (e *Engine) SetHistory(h History, log *slog.Logger) { e.replays.history, e.replays.log = h, log }

// SetAppHistory lets sockets resume channels that are not the CRM's from the history of
// their app. The numbers of its events are not in the events: see Dialect.Next. It must be
// called before Run and before the first socket connects.
func (e *Engine) SetAppHistory(of func(app string) History, log *slog.Logger) {
	e.replays.apps, e.replays.log = of, log
}

// of returns the history of a channel, and whether it is of an app; nil: there is none.
func (p *replays) of(k key) (h History, ofApp bool) {
	if name, err := channels.Parse(k.name); p.apps != nil && err == nil && !name.Reserved() {
		return p.apps(k.app), true
	}
	return p.history, false
}

// Reread lets all who resume channels of apps read the history again from where they are.
// It is for a history whose events were removed before this node has delivered them: those
// who miss one are told so.
func (e *Engine) Reread() {
	for _, ch := range e.hub.all() {
		var due []*replay
		ch.mu.Lock()
		for _, g := range ch.groups {
			for _, q := range g.out {
				if r, ok := q.(*replay); ok && r.ofApp && r.again() {
					due = append(due, r)
				}
			}
		}
		ch.mu.Unlock()
		for _, r := range due {
			e.replays.add(r)
		}
	}
}

// add makes r due, unless its subscription has ended.
func (p *replays) add(r *replay) {
	p.mu.Lock()
	p.due.push(r)
	p.mu.Unlock()
	p.wakeReaders(1)
}

// wakeReaders lets at most n readers look.
func (p *replays) wakeReaders(n int) {
	for range min(n, replayReaders) {
		select {
		case p.wake <- struct{}{}:
		default: // as many as there are readers will look
			return
		}
	}
}

// leave forgets r, whose subscription has ended.
func (p *replays) leave(r *replay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due.leave(r)
}

func (p *replays) next() []*replay {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.due.next()
}

// room reports whether r's socket has room for frames. If it has not, r becomes due as soon
// as it has. A socket is asked once for all its replays, so that one that reads nothing,
// and subscribes again and again, takes no more memory each time.
func (p *replays) room(r *replay) bool {
	paced, ok := r.s.conn.peer.Out.(PacedQueue)
	if !ok {
		return true
	}
	c := r.s.conn
	p.mu.Lock()
	if r.at.left {
		p.mu.Unlock()
		return false
	}
	first := c.waiting == nil
	if first {
		c.waiting = new(list.List)
	}
	r.at.waiting = c.waiting.PushBack(r)
	p.mu.Unlock()
	if !first || !paced.Room(func() { p.hasRoom(c, nil) }) {
		return false
	}
	return p.hasRoom(c, r)
}

// hasRoom makes due what waits for room on the socket, but for one replay, which goes on
// at once if its subscription has not ended.
func (p *replays) hasRoom(c *Conn, except *replay) (goesOn bool) {
	p.mu.Lock()
	n := 0
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		r := e.Value.(*replay)
		r.at.waiting = nil
		if r == except {
			goesOn = true
			continue
		}
		p.due.push(r)
		n++
	}
	c.waiting = nil
	p.mu.Unlock()
	p.wakeReaders(n)
	return goesOn
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
// be dropped, as the view may not have it. Each question to the history has a time limit of
// its own: one that takes too long ends no other.
func (e *Engine) step(ctx context.Context, group []*replay) {
	type answer struct {
		view string
		err  error
	}
	readers := map[string]answer{}
	views := map[string][]begun{}
	for _, r := range e.begin(group) {
		of, known := readers[r.reader]
		if !known {
			of.view, of.err = r.view(ctx)
			readers[r.reader] = of
		}
		if of.err != nil {
			e.unread(ctx, r.replay, of.err)
			continue
		}
		views[of.view] = append(views[of.view], r)
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
		if !e.replays.room(r) {
			continue
		}
		if has, ok := r.begin(); ok {
			in = append(in, begun{r, has})
		}
	}
	return in
}

// view asks what the reader may read of the channel.
func (r *replay) view(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	return r.history.View(ctx, r.reader, r.s.ch.key.name)
}

// since reads a page.
func (r *replay) since(ctx context.Context, view string, from int64) (Missed, error) {
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	return r.history.Since(ctx, r.s.ch.key.name, view, from, replayPage)
}

// read does one read for subscribers with one view of one channel.
func (e *Engine) read(ctx context.Context, view string, in []begun) {
	from := in[0].after
	for _, r := range in {
		from = min(from, r.after)
	}
	missed, err := in[0].since(ctx, view, from)
	frames := map[Dialect][]numberedFrame{}
	for _, r := range in {
		if err != nil {
			e.unread(ctx, r.replay, err)
			continue
		}
		dialect := r.s.speaks()
		if frames[dialect] == nil {
			frames[dialect] = missed.encode(dialect, r.s.ch.key, r.ofApp)
		}
		told, done := r.advance(missed, from, dialect, frames[dialect])
		if replayed := r.s.conn.peer.Replayed; told && replayed != nil {
			replayed()
		}
		if !done {
			e.replays.add(r.replay)
		}
	}
}

// encode returns the entries as frames of a channel.
func (m Missed) encode(d Dialect, ch key, ofApp bool) []numberedFrame {
	frames := make([]numberedFrame, len(m.Entries))
	for i, entry := range m.Entries {
		ev := Event{App: ch.app, Channel: ch.name, Name: entry.Name, Data: entry.Data, Seq: entry.Seq}
		frames[i] = numberedFrame{seq: entry.Seq, frame: d.Event(ev), except: entry.Except}
		if ofApp {
			frames[i].next = d.Next(ch.name, entry.Seq)
		}
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

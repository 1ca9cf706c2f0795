package broadcasting

import (
	"container/list"
	"context"
	"sync"
	"time"
)

const (
	receivedTime    = 10 * time.Minute
	receivedSockets = 10_000
	receivedOfUser  = 100 // of the sockets, so that nobody alone makes the others forgotten
)

// Progress is how far a socket has come in a channel that it resumed.
type Progress struct {
	Seq int64 // the number up to which its client has got the channel, or had it before
	// Confirmed means that the client has proved it since it subscribed. Otherwise Seq is the
	// position with which it began.
	Confirmed bool
}

// received remembers the progress of sockets for a while after they have ended.
type received struct {
	mu sync.Mutex
	// guarded by mu
	sockets map[key]*receivedBy
	all     *list.List            // of *receivedBy; the oldest is in front
	users   map[string]*list.List // the same by user; never empty
}

type receivedBy struct {
	socket     key
	user       string
	channels   map[string]Progress
	until      time.Time
	all, among *list.Element // its places
}

func (r *received) put(by *receivedBy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.sockets, r.all, r.users = map[key]*receivedBy{}, list.New(), map[string]*list.List{}
	}
	now := time.Now()
	for e := r.all.Front(); e != nil && (r.all.Len() >= receivedSockets || now.After(e.Value.(*receivedBy).until)); e = r.all.Front() {
		r.forget(e.Value.(*receivedBy))
	}
	if of := r.users[by.user]; of != nil && of.Len() >= receivedOfUser {
		r.forget(of.Front().Value.(*receivedBy))
	}
	if r.users[by.user] == nil {
		r.users[by.user] = list.New()
	}
	by.until = now.Add(receivedTime)
	by.all, by.among = r.all.PushBack(by), r.users[by.user].PushBack(by)
	r.sockets[by.socket] = by
}

// forget needs mu.
func (r *received) forget(by *receivedBy) {
	delete(r.sockets, by.socket)
	r.all.Remove(by.all)
	of := r.users[by.user]
	if of.Remove(by.among); of.Len() == 0 {
		delete(r.users, by.user)
	}
}

func (r *received) get(socket key, user, channel string) (Progress, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := r.sockets[socket]
	if by == nil || by.user != user || time.Now().After(by.until) {
		return Progress{}, false
	}
	p, ok := by.channels[channel]
	return p, ok
}

// receivedWait is how long the other nodes have to tell what a socket has received. A node
// that has just died does not answer, and its clients come back at once.
const receivedWait = 500 * time.Millisecond

// Received returns how far a socket of the user, which may have ended a short time ago, has
// come in a channel that it resumed, whichever node it was on. It returns false when no
// node that answers soon knows.
func (e *Engine) Received(ctx context.Context, app, socketID, userID, channel string) (Progress, bool) {
	if p, ok := e.receivedHere(app, socketID, userID, channel); ok {
		return p, true
	}
	ctx, cancel := context.WithTimeout(ctx, receivedWait)
	defer cancel()
	var of Answer // of the node that had the socket
	o := Order{Kind: OrderReceived, App: app, SocketID: socketID, UserID: userID, Channels: []string{channel}}
	_, _ = e.control.Survey(ctx, o, func(a Answer) bool { // who does not answer does not know
		if a.Found {
			of = a
		}
		return of.Found
	})
	return Progress{Seq: of.Seq, Confirmed: of.Confirmed}, of.Found
}

func (e *Engine) receivedHere(app, socketID, userID, channel string) (Progress, bool) {
	if c := e.conn(app, socketID); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.closed && c.owner.UserID != userID {
			return Progress{}, false
		}
		if !c.closed {
			p, ok := c.progress[channel]
			return p, ok
		}
	}
	return e.received.get(key{app, socketID}, userID, channel)
}

// resumes notes where a subscription that resumes has begun; needs mu.
func (c *Conn) resumes(name string, after int64) {
	if c.peer.Unremembered {
		return
	}
	if c.progress == nil {
		c.progress = map[string]Progress{}
	}
	c.progress[name] = Progress{Seq: after}
	delete(c.asked, name) // an answer would be about an earlier subscription
}

// Ask notes what is queued for the socket now. The caller queues a ping after it. Every
// ping must be counted so, because pongs do not say which ping they answer.
func (c *Conn) Ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings++
	if c.asked != nil || c.peer.Unremembered {
		return // it is answered first
	}
	c.askedAt = c.pings
	for name, s := range c.subs {
		if s.resumed == nil || s.resumed.ofApp { // apps name their own events
			continue
		}
		if c.asked == nil {
			c.asked = map[string]int64{}
		}
		s.ch.mu.Lock()
		if s.resumed.known {
			c.asked[name] = s.resumed.has
		}
		s.ch.mu.Unlock()
	}
}

// Answered notes a pong of the client: it has got what was queued before the ping.
func (c *Conn) Answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pongs = min(c.pongs+1, c.pings)
	if c.pongs < c.askedAt {
		return
	}
	for name, seq := range c.asked {
		c.progress[name] = Progress{Seq: seq, Confirmed: true}
	}
	c.asked = nil
}

// remember keeps the progress of the socket after its end; needs mu.
func (c *Conn) remember() {
	if len(c.progress) > 0 {
		c.engine.received.put(&receivedBy{socket: key{c.peer.App, c.peer.ID}, user: c.owner.UserID, channels: c.progress})
	}
	c.asked, c.progress = nil, nil
}

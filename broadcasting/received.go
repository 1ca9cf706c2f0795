package broadcasting

import (
	"container/list"
	"sync"
	"time"
)

const (
	receivedTime    = 10 * time.Minute
	receivedSockets = 10_000
)

// received remembers, for a while after sockets have ended, up to which event they
// provably got the channels that they resumed.
type received struct {
	mu sync.Mutex
	// guarded by mu
	sockets map[key]*list.Element
	order   *list.List // of receivedBy; the oldest is in front
}

type receivedBy struct {
	socket   key
	user     string
	channels map[string]int64
	until    time.Time
}

func (r *received) put(by receivedBy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.order == nil {
		r.sockets, r.order = map[key]*list.Element{}, list.New()
	}
	now := time.Now()
	for e := r.order.Front(); e != nil && (r.order.Len() >= receivedSockets || now.After(e.Value.(receivedBy).until)); e = r.order.Front() {
		delete(r.sockets, r.order.Remove(e).(receivedBy).socket)
	}
	by.until = now.Add(receivedTime)
	r.sockets[by.socket] = r.order.PushBack(by)
}

func (r *received) get(socket key, user, channel string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.sockets[socket]
	if e == nil {
		return 0
	}
	by := e.Value.(receivedBy)
	if by.user != user || time.Now().After(by.until) {
		return 0
	}
	return by.channels[channel]
}

// Received returns the number up to which a socket of the user, which may have ended a
// short time ago, provably got what it resumed in the channel. It is 0 when that is not
// known here.
func (e *Engine) Received(app, socketID, userID, channel string) int64 {
	if c := e.conn(app, socketID); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.owner.UserID != userID {
			return 0
		}
		return c.confirmed[channel]
	}
	return e.received.get(key{app, socketID}, userID, channel)
}

// Ask notes what is queued for the socket now. The caller queues a ping after it. Every
// ping must be counted so, because pongs do not say which ping they answer.
func (c *Conn) Ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings++
	if c.asked != nil {
		return // it is answered first
	}
	c.askedAt = c.pings
	for name, s := range c.subs {
		if s.resumed == nil {
			continue
		}
		if c.asked == nil {
			c.asked = map[string]int64{}
		}
		s.ch.mu.Lock()
		c.asked[name] = s.resumed.has
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
		if c.confirmed == nil {
			c.confirmed = map[string]int64{}
		}
		c.confirmed[name] = max(c.confirmed[name], seq)
	}
	c.asked = nil
}

// remember keeps what the socket has confirmed after its end; needs mu.
func (c *Conn) remember() {
	if len(c.confirmed) > 0 {
		c.engine.received.put(receivedBy{socket: key{c.peer.App, c.peer.ID}, user: c.owner.UserID, channels: c.confirmed})
	}
}

package broadcasting

import (
	"container/list"
	"sync"
	"time"
)

// Conn is a connected socket's side of the engine. Safe for concurrent use.
type Conn struct {
	// static
	engine *Engine
	peer   Peer

	mu sync.Mutex
	// guarded by mu
	closed     bool
	subs       map[string]*subscription
	owner      Owner               // the user index lists the socket under it; zero: nobody yet
	ending     *time.Timer         // of the owner's session; nil: it has no end
	identified bool                // Identify has named the owner
	grants     map[string]string   // what was granted with each channel that the owner may enter
	revoked    map[string]struct{} // channels whose earlier signatures are invalid on this socket

	pings    uint32              // that were sent to the client
	pongs    uint32              // that it has answered
	askedAt  uint32              // the ping that asked is about
	asked    map[string]int64    // what was queued by channel before that ping; nil: it is answered
	progress map[string]Progress // by channel, of those that it resumed

	signedIn  string   // the app's user that it has proved to be; empty: none
	watchlist []string // users that it watches

	notices  []notice // not yet told to the watcher, in order
	noticing bool     // a goroutine is telling the watcher

	// guarded by engine.replays.mu
	waiting *list.List // of *replay, until the socket has room; nil: it was not asked for room
}

type notice struct {
	channel, user string
	left          bool
}

// User returns the user of the socket as far as it is known, by Grant, Identify or
// SignIn, or "" when it is not.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner.UserID == "" {
		return c.signedIn
	}
	return c.owner.UserID
}

// Close ends all subscriptions. Later calls do nothing.
func (c *Conn) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		c.remember()
		for name, s := range c.subs {
			c.leave(name, s)
		}
		if c.owner.UserID != "" {
			c.engine.unindex(c.owner.UserID, c)
		}
		c.stopEnding()
		if c.signedIn != "" {
			c.engine.signedIn.leave(c)
		}
		c.engine.connsMu.Lock()
		drop(&c.engine.conns, &c.engine.mostConns, key{c.peer.App, c.peer.ID})
		c.engine.connsMu.Unlock()
	}
	c.mu.Unlock()
	c.tell()
}

// unsubscribeUser ends user's subscription to channel and invalidates its signature.
func (c *Conn) unsubscribeUser(channel, user string) {
	c.mu.Lock()
	s := c.subs[channel]
	theirs := s != nil && s.user == user
	if _, granted := c.grants[channel]; theirs || granted && c.owner.UserID == user {
		if c.revoked == nil {
			c.revoked = map[string]struct{}{}
		}
		c.revoked[channel] = struct{}{}
		delete(c.grants, channel)
	}
	if theirs {
		c.leave(channel, s)
		c.peer.Out.Queue(s.dialect.Unsubscribed(channel))
	}
	c.mu.Unlock()
	c.tell()
}

// tell gives the notices to the watcher in order, outside the lock. While another
// goroutine is doing that, tell leaves the notices to it.
func (c *Conn) tell() {
	w := c.engine.watch
	c.mu.Lock()
	if w == nil {
		c.notices = nil
	}
	if c.noticing || len(c.notices) == 0 {
		c.mu.Unlock()
		return
	}
	c.noticing = true
	for len(c.notices) > 0 {
		list := c.notices
		c.notices = nil
		c.mu.Unlock()
		for _, n := range list {
			if n.left {
				w.Left(n.channel, n.user)
			} else {
				w.Entered(n.channel, n.user)
			}
		}
		c.mu.Lock()
	}
	c.noticing = false
	c.mu.Unlock()
}

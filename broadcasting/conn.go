package broadcasting

import (
	"context"
	"slices"
	"sync"
)

// Conn is a connected socket's side of the engine. Safe for concurrent use.
type Conn struct {
	// static
	engine *Engine
	peer   Peer

	mu sync.Mutex
	// guarded by mu
	closed  bool
	subs    map[string]*subscription
	grants  map[string]string   // by channel: the user that was last allowed to enter
	revoked map[string]struct{} // channels whose earlier signatures are invalid on this socket
	users   []string            // under whom the user index lists this socket

	signedIn  string   // the app's user that it has proved to be; empty: none
	watchlist []string // users that it watches

	notices  []notice // not yet told to the watcher, in order
	noticing bool     // a goroutine is telling the watcher
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
	if len(c.users) == 0 {
		return c.signedIn
	}
	return c.users[0]
}

// Close ends all subscriptions. Later calls do nothing.
func (c *Conn) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		for name, s := range c.subs {
			c.leave(name, s)
		}
		for _, user := range c.users {
			c.engine.unindex(user, c)
		}
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

// grant does nothing when ctx has ended: the caller no longer learns of the grant, and
// could not take it back.
func (c *Conn) grant(ctx context.Context, channel, user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || ctx.Err() != nil {
		return false
	}
	if c.grants == nil {
		c.grants = map[string]string{}
	}
	c.grants[channel] = user
	delete(c.revoked, channel)
	c.known(user)
	return true
}

// identify does nothing when ctx has ended, like grant.
func (c *Conn) identify(ctx context.Context, user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || ctx.Err() != nil {
		return false
	}
	c.known(user)
	return true
}

// known notes that the socket is the user's; needs mu.
func (c *Conn) known(user string) {
	if !slices.Contains(c.users, user) {
		c.users = append(c.users, user)
		c.engine.index(user, c)
	}
}

// unsubscribeUser ends user's subscription to channel and invalidates its signature.
func (c *Conn) unsubscribeUser(channel, user string) {
	c.mu.Lock()
	s := c.subs[channel]
	theirs := s != nil && s.user == user
	if theirs || c.grants[channel] == user {
		if c.revoked == nil {
			c.revoked = map[string]struct{}{}
		}
		c.revoked[channel] = struct{}{}
		delete(c.grants, channel)
	}
	if theirs {
		c.leave(channel, s)
		c.peer.Out.Queue(c.peer.Dialect.Unsubscribed(channel))
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

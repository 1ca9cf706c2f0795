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
	revoked map[string]struct{} // channels whose old signatures are worth nothing here
	users   []string            // with whom the user index knows this socket

	signedIn  string   // the app's user that it has proved to be; empty: none
	watchlist []string // whose coming and going it is told

	notices  []notice // not yet told to the watcher, in order
	noticing bool     // somebody is telling
}

type notice struct {
	channel, user string
	left          bool
}

// User is whose socket this is as far as we know, by Grant or by SignIn, "" when
// we do not.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.users) == 0 {
		return c.signedIn
	}
	return c.users[0]
}

// Close ends all subscriptions. Only the first call counts.
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

// grant does nothing when ctx has ended: whoever asked no longer knows of it, and
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

// identify is like grant.
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

// unsubscribeUser ends user's subscription to channel and makes its signature
// worthless.
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

// tell gives the notices to the watcher, outside the lock and in order: whoever
// finds nobody telling does it until none is left.
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

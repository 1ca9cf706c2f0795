package broadcasting

import (
	"errors"
	"slices"
	"sync"

	"chatcast/channels"
)

// Faults of a subscription.
var (
	ErrClosed  = errors.New("broadcasting: the socket is closed")
	ErrRevoked = errors.New("broadcasting: the permission was withdrawn")
	ErrTooMany = errors.New("broadcasting: the socket has too many channels")
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

	notices  []notice // not yet told to the watcher, in order
	noticing bool     // somebody is telling
}

type notice struct {
	channel, user string
	left          bool
}

// Wanted is what a socket asks for when it subscribes.
type Wanted struct {
	Name        channels.Name
	Member      *Member // who it is; needed on presence channels, ignored on others
	MaxMembers  int     // users in a presence channel
	MaxChannels int     // of this socket
}

// Subscribe puts the socket into a channel; the frame that says so is queued
// before any later event. A socket that is in already gets that frame again, and
// is who it was: a client that lost track has what it wants.
func (c *Conn) Subscribe(want Wanted) error {
	c.mu.Lock()
	err := c.subscribe(want)
	c.mu.Unlock()
	c.tell()
	return err
}

func (c *Conn) subscribe(want Wanted) error {
	name := want.Name.Full
	if c.closed {
		return ErrClosed
	}
	if _, ok := c.revoked[name]; ok {
		return ErrRevoked
	}
	if s := c.subs[name]; s != nil {
		s.ch.mu.Lock()
		c.peer.Out.Queue(c.peer.Dialect.Subscribed(name, s.ch.roster()))
		s.ch.mu.Unlock()
		c.own(s, name)
		return nil
	}
	if len(c.subs) >= want.MaxChannels {
		return ErrTooMany
	}
	s := &subscription{conn: c, ch: c.engine.hub.enter(key{c.peer.App, name})}
	err := s.enter(want)
	empty := err != nil && s.ch.dieIfEmpty()
	s.ch.mu.Unlock()
	if empty {
		c.engine.hub.bury(s.ch)
	}
	if err != nil {
		return err
	}
	if c.subs == nil {
		c.subs = map[string]*subscription{}
	}
	c.subs[name] = s
	c.own(s, name)
	return nil
}

// own notes whose a subscription is; needs mu.
func (c *Conn) own(s *subscription, name string) {
	if user := c.grants[name]; user != "" && s.user == "" {
		s.user = user
		c.notices = append(c.notices, notice{channel: name, user: user})
	}
}

// enter adds the subscription to its channel, whose mu is held.
func (s *subscription) enter(want Wanted) error {
	ch, d := s.ch, s.conn.peer.Dialect
	if want.Name.Kind == channels.Presence && want.Member != nil {
		if ch.presence == nil {
			ch.presence = &presence{}
		}
		m, first, err := ch.presence.join(*want.Member, want.MaxMembers)
		if err != nil {
			return err
		}
		if s.member = m; first {
			ch.fanOut(nil, func(d Dialect) []byte { return d.MemberAdded(ch.key.name, m) })
		}
	}
	ch.add(s)
	s.conn.peer.Out.Queue(d.Subscribed(ch.key.name, ch.roster()))
	return nil
}

// roster is the members of a presence channel, nil on others; needs mu.
func (ch *channel) roster() []*Member {
	if ch.presence == nil {
		return nil
	}
	return ch.presence.members
}

// Unsubscribe takes the socket out of a channel. It is false when it was not in.
func (c *Conn) Unsubscribe(channel string) bool {
	c.mu.Lock()
	s := c.subs[channel]
	if s != nil {
		c.leave(channel, s)
	}
	c.mu.Unlock()
	c.tell()
	return s != nil
}

// leave needs mu.
func (c *Conn) leave(name string, s *subscription) {
	delete(c.subs, name)
	ch := s.ch
	ch.mu.Lock()
	empty := ch.remove(s)
	if s.member != nil && ch.presence.leave(s.member.ID) {
		ch.fanOut(nil, func(d Dialect) []byte { return d.MemberRemoved(name, s.member.ID) })
	}
	ch.mu.Unlock()
	if empty {
		c.engine.hub.bury(ch)
	}
	if s.user != "" {
		c.notices = append(c.notices, notice{channel: name, user: s.user, left: true})
	}
}

// Subscribed says whether the socket is in the channel, and as whom (nil on a
// channel without presence).
func (c *Conn) Subscribed(channel string) (member *Member, in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.subs[channel]
	if s == nil {
		return nil, false
	}
	return s.member, true
}

func (c *Conn) subscription(channel string) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subs[channel]
}

// Channels is the number of channels that the socket is in.
func (c *Conn) Channels() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.subs)
}

// User is whose socket this is as far as we know, "" when we do not.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.users) == 0 {
		return ""
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
		c.engine.connsMu.Lock()
		delete(c.engine.conns, key{c.peer.App, c.peer.ID})
		c.engine.connsMu.Unlock()
	}
	c.mu.Unlock()
	c.tell()
}

func (c *Conn) grant(channel, user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.grants == nil {
		c.grants = map[string]string{}
	}
	c.grants[channel] = user
	delete(c.revoked, channel)
	if !slices.Contains(c.users, user) {
		c.users = append(c.users, user)
		c.engine.index(user, c)
	}
	return true
}

// evict ends user's subscription to channel and makes its signature worthless.
func (c *Conn) evict(channel, user string) {
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
		c.peer.Out.Queue(c.peer.Dialect.Revoked(channel))
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

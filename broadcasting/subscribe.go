package broadcasting

import (
	"errors"

	"chatcast/channels"
)

// Errors of a subscription.
var (
	ErrClosed  = errors.New("broadcasting: the socket is closed")
	ErrRevoked = errors.New("broadcasting: the permission was withdrawn")
	ErrTooMany = errors.New("broadcasting: the socket has too many channels")
)

// SubscribeRequest is what a socket asks for when it subscribes.
type SubscribeRequest struct {
	Name        channels.Name
	Member      *Member // who it is; needed on presence channels, ignored on others
	MaxMembers  int     // users in a presence channel
	MaxChannels int     // of this socket

	SubscriptionCount bool // the channel's subscribers are told how many they are
}

// Subscribe puts the socket into a channel; the frame that says so is queued
// before any later event. A socket that is in already gets that frame again, and
// is who it was: a client that lost track has what it wants.
func (c *Conn) Subscribe(want SubscribeRequest) error {
	c.mu.Lock()
	err := c.subscribe(want)
	c.mu.Unlock()
	c.tell()
	return err
}

func (c *Conn) subscribe(want SubscribeRequest) error {
	name := want.Name.Full
	if c.closed {
		return ErrClosed
	}
	if _, ok := c.revoked[name]; ok {
		return ErrRevoked
	}
	if s := c.subs[name]; s != nil {
		s.ch.mu.Lock()
		s.welcome()
		s.ch.mu.Unlock()
		c.own(s, name)
		return nil
	}
	if len(c.subs) >= want.MaxChannels {
		return ErrTooMany
	}
	s := &subscription{conn: c, ch: c.engine.hub.enter(key{c.peer.App, name}, want.Name)}
	err := s.enter(want)
	c.engine.hub.unlock(s.ch)
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
func (s *subscription) enter(want SubscribeRequest) error {
	ch, e := s.ch, s.conn.engine
	first := false // of its user
	if ch.kind == channels.Presence && want.Member != nil {
		if ch.presence == nil {
			ch.presence = &presence{}
		}
		var err error
		if s.member, first, err = ch.presence.join(*want.Member, want.MaxMembers); err != nil {
			return err
		}
	}
	if ch.subscribers() == 0 {
		e.record(ch, ChannelEvent{Kind: Occupied})
	}
	if first {
		ch.fanOut(nil, func(d Dialect) []byte { return d.MemberAdded(ch.key.name, s.member) })
		e.record(ch, ChannelEvent{Kind: MemberAdded, UserID: s.member.ID})
	}
	ch.add(s)
	s.welcome()
	ch.counting = want.SubscriptionCount
	e.counted(ch)
	return nil
}

// welcome says that the subscription is in; needs ch.mu.
func (s *subscription) welcome() {
	s.conn.peer.Out.Queue(s.conn.peer.Dialect.Subscribed(s.ch.key.name, s.ch.roster()))
	if s.ch.cache {
		s.conn.engine.greet(s)
	}
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
	ch, e := s.ch, c.engine
	ch.mu.Lock()
	empty := ch.remove(s)
	if s.member != nil && ch.presence.leave(s.member.ID) {
		ch.fanOut(nil, func(d Dialect) []byte { return d.MemberRemoved(name, s.member.ID) })
		e.record(ch, ChannelEvent{Kind: MemberRemoved, UserID: s.member.ID})
	}
	if c.peer.CountsEnabled != nil {
		ch.counting = c.peer.CountsEnabled()
	}
	e.counted(ch)
	if empty {
		e.record(ch, ChannelEvent{Kind: Vacated})
	}
	ch.mu.Unlock()
	if empty {
		e.hub.remove(ch)
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

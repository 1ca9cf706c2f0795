package broadcasting

import (
	"context"
	"errors"

	"chatcast/channels"
)

// Errors of a subscription.
var (
	ErrClosed  = errors.New("broadcasting: the socket is closed")
	ErrRevoked = errors.New("broadcasting: the permission was withdrawn")
	ErrTooMany = errors.New("broadcasting: the socket has too many channels")
	// ErrNotGranted is returned when the channel needs a grant that the socket does not
	// have.
	ErrNotGranted = errors.New("broadcasting: the channel was not granted to the socket")
)

// SubscribeRequest is what a socket asks for when it subscribes.
type SubscribeRequest struct {
	Name        channels.Name
	Member      *Member // the user; required on presence channels, ignored on others
	MaxMembers  int     // the limit of users in a presence channel
	MaxChannels int     // the limit of channels of this socket

	NeedsGrant bool   // Grant must have allowed the channel on this socket
	Data       string // what Grant must have named with it

	// Resume begins the subscription with what the socket's owner has missed of the channel
	// after the event with the number After. It has no effect on cache channels, without a
	// History, and for a socket that is in already.
	Resume bool
	After  int64
	// Begin means that the client has not named After: it is where the channel is now, and
	// the client is told so at once. It has an effect only with Resume.
	Begin    bool
	Previous string // the client's socket before this one, which got what this one does not; empty: not known

	// Dialect is that of the subscription; nil: the socket's. For a socket that is in already
	// it changes between two frames.
	Dialect Dialect

	SubscriptionCount bool // tell the channel's subscribers how many they are
}

// Subscribe puts the socket into a channel. The frame that confirms this is queued
// before any event. A socket that is in already gets that frame again and keeps its
// member, which is what a client that lost track needs.
//
// A subscription that begins with an earlier event is made in two phases:
//
//	enter    under the channel's lock: from here on, events are held for the socket
//	         read what it begins with, under no lock
//	open     under the channel's lock: queue the answer, what was read, what was
//	         held and is not in that, and go live
//
// So no later event is left out or comes twice, and no publisher waits for the read. If
// the subscription is taken away meanwhile, it stays away. ctx bounds the read. If the
// read fails, Subscribe returns its error, and the socket is not in unless it was in
// before. With ErrBehind it is not in, whatever was before.
//
// A subscription that resumes is confirmed at once, and then brought up to date; see
// replay.
func (c *Conn) Subscribe(ctx context.Context, want SubscribeRequest) error {
	defer c.tell()
	s, err := c.enter(want)
	if err != nil || s == nil {
		return err
	}
	last, err := c.engine.broker.Last(ctx, c.peer.App, want.Name.Full)
	return c.open(s, last, err)
}

// enter is the first phase. It returns nil when there is no second phase.
func (c *Conn) enter(want SubscribeRequest) (*subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := want.Name.Full
	if c.closed {
		return nil, ErrClosed
	}
	if _, ok := c.revoked[name]; ok {
		return nil, ErrRevoked
	}
	if data, granted := c.grants[name]; want.NeedsGrant && (!granted || data != want.Data) {
		return nil, ErrNotGranted
	}
	s := c.subs[name]
	if s == nil {
		if len(c.subs) >= want.MaxChannels {
			return nil, ErrTooMany
		}
		s = &subscription{conn: c, ch: c.engine.hub.enter(key{c.peer.App, name}, want.Name), dialect: c.peer.Dialect}
		if want.Dialect != nil {
			s.dialect = want.Dialect
		}
		err := s.enter(want)
		if err == nil {
			if history, ofApp := c.engine.replays.of(s.ch.key); want.Resume && !s.ch.cache && history != nil {
				s.replay(want)
				if !ofApp {
					c.resumes(name, want.After)
				}
			} else {
				s.begin(false)
			}
			c.engine.counted(s.ch, true)
		}
		c.engine.hub.unlock(s.ch)
		if err != nil {
			return nil, err
		}
		if c.subs == nil {
			c.subs = map[string]*subscription{}
		}
		c.subs[name] = s
	} else {
		s.ch.mu.Lock()
		defer s.ch.mu.Unlock()
		if want.Dialect != nil {
			s.ch.speak(s, want.Dialect)
		}
		if s.holding() {
			return nil, nil // the call that brings it up to date answers for both
		}
		s.begin(true)
	}
	c.own(s, name)
	if !s.ch.cache {
		return nil, nil
	}
	return s, nil
}

// begin answers at once or, on a cache channel, holds what is published until the
// second phase; needs ch.mu.
func (s *subscription) begin(again bool) {
	if s.ch.cache {
		s.hold(again)
		return
	}
	s.welcome()
}

// open is the second phase. last is the last event of the channel, err the error of
// reading it. A socket that was in before stays in, unless more was published
// than is held for it.
func (c *Conn) open(s *subscription, last LastEvent, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := s.ch.key.name
	if c.subs[name] != s {
		return nil // it was taken away, and the socket was told
	}
	s.ch.mu.Lock()
	if s.held.over {
		err = ErrBehind
	}
	if err != nil && (!s.held.again || s.held.over) {
		s.ch.mu.Unlock()
		c.leave(name, s)
		return err
	}
	defer s.ch.mu.Unlock()
	if err != nil {
		s.held.release()
		return err
	}
	s.welcome()
	if missed := s.held.begin(last); missed && !s.ch.missed {
		s.ch.missed = true
		c.engine.record(s.ch, ChannelEvent{Kind: CacheMissed})
	}
	s.held.release()
	return nil
}

// own notes the user of a subscription, if Grant named one; needs mu.
func (c *Conn) own(s *subscription, name string) {
	if _, granted := c.grants[name]; granted && s.user == "" {
		s.user = c.owner.UserID
		c.notices = append(c.notices, notice{channel: name, user: s.user})
	}
}

// enter adds the subscription to its channel, whose mu is held.
func (s *subscription) enter(want SubscribeRequest) error {
	ch, e := s.ch, s.conn.engine
	first, firstHere := false, false // whether this is the user's first socket anywhere, and on this node
	if ch.kind == channels.Presence && want.Member != nil {
		if ch.roster == nil {
			ch.roster = newRoster(e.presence.OtherMembers(ch.key.app, ch.key.name))
		}
		var err error
		if s.member, first, firstHere, err = ch.roster.join(*want.Member, want.MaxMembers); err != nil {
			return err
		}
	}
	if ch.subscribers() == 0 { // others may have sockets of which this node is not told yet
		e.record(ch, ChannelEvent{Kind: Occupied})
	}
	if first {
		ch.tellMembers(func(d Dialect) []byte { return d.MemberAdded(ch.key.name, s.member) })
		e.record(ch, ChannelEvent{Kind: MemberAdded, UserID: s.member.ID})
	}
	if firstHere {
		e.presence.MemberAdded(ch.key.app, ch.key.name, s.member)
	}
	ch.add(s)
	e.presence.Subscribed(ch.key.app, ch.key.name, ch.subscribers())
	ch.counting = want.SubscriptionCount
	return nil
}

// welcome queues the frame that confirms the subscription; needs ch.mu.
func (s *subscription) welcome() {
	s.conn.peer.Out.Queue(s.dialect.Subscribed(s.ch.key.name, s.ch.members()))
}

// speaks returns the dialect of the subscription.
func (s *subscription) speaks() Dialect {
	s.ch.mu.Lock()
	defer s.ch.mu.Unlock()
	return s.dialect
}

// members returns the members of a presence channel, nil on others; needs mu.
func (ch *channel) members() []*Member {
	if ch.roster == nil {
		return nil
	}
	return ch.roster.members
}

// subscriptions returns how many sockets of all nodes are subscribed; needs ch.mu.
func (e *Engine) subscriptions(ch *channel) int {
	return ch.subscribers() + e.presence.OthersIn(ch.key.app, ch.key.name)
}

// Subscribed reports whether the socket is in the channel. member is nil on a channel
// without presence.
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

// Channels returns the number of channels that the socket is in.
func (c *Conn) Channels() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.subs)
}

package broadcasting

import (
	"errors"
	"slices"
	"sync"
)

// ErrOtherUser is returned by SignIn when the socket is signed in as another user.
var ErrOtherUser = errors.New("broadcasting: the socket is signed in as another user")

// Identity is the user that a socket has proved to be to its app. Users of different
// apps are different people, and none of them is a user of Grant.
type Identity struct {
	UserID    string
	Data      string   // the proof, which is sent back to the socket
	Watchlist []string // users to watch, each listed once
}

// signedInUsers holds the users that are signed in on this node. A user is online while
// a socket is signed in as the user on any node.
type signedInUsers struct {
	presence Presence

	mu    sync.Mutex
	known map[key]*person // by app and user id; guarded by mu
	most  int             // see drop; guarded by mu
}

// person is a user that a socket is signed in as, or watches; guarded by
// signedInUsers.mu.
type person struct {
	sockets   map[*Conn]struct{}
	watchers  map[*Conn]struct{}
	elsewhere bool // another node has a socket of theirs
}

func (who *person) online() bool { return len(who.sockets) > 0 || who.elsewhere }

// SignIn signs the socket in as the user. The socket is told this, and which of the
// users it watches are online, before it is told of any change. Signing in again as the
// same user replaces the watchlist.
func (c *Conn) SignIn(who Identity) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return ErrClosed
	case c.signedIn != "" && c.signedIn != who.UserID:
		return ErrOtherUser
	}
	c.engine.signedIn.enter(c, who)
	c.signedIn, c.watchlist = who.UserID, who.Watchlist
	return nil
}

// SignedIn returns the user that the socket is signed in as, or "" when it is not.
func (c *Conn) SignedIn() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signedIn
}

func (p *signedInUsers) sockets(k key) []*Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.known[k]
	if who == nil {
		return nil
	}
	list := make([]*Conn, 0, len(who.sockets))
	for c := range who.sockets {
		list = append(list, c)
	}
	return list
}

// enter needs c.mu.
func (p *signedInUsers) enter(c *Conn, who Identity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	self := p.person(key{c.peer.App, who.UserID})
	first := !self.online()
	self.sockets[c] = struct{}{}
	p.presence.SignedIn(c.peer.App, who.UserID, len(self.sockets))
	if first {
		self.tell(who.UserID, true)
	}
	p.unwatch(c)
	online := make([]string, 0, len(who.Watchlist))
	for _, id := range who.Watchlist {
		other := p.person(key{c.peer.App, id})
		other.watchers[c] = struct{}{}
		if other.online() {
			online = append(online, id)
		}
	}
	c.peer.Out.Queue(c.peer.Dialect.SignedIn(who.Data))
	if len(online) > 0 {
		c.peer.Out.Queue(c.peer.Dialect.WatchlistEvents(true, online))
	}
}

// leave needs c.mu.
func (p *signedInUsers) leave(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwatch(c)
	k := key{c.peer.App, c.signedIn}
	self := p.known[k]
	delete(self.sockets, c)
	p.presence.SignedIn(c.peer.App, c.signedIn, len(self.sockets))
	if !self.online() {
		self.tell(c.signedIn, false)
	}
	p.forget(k, self)
}

// unwatch ends the watching of c; needs mu and c.mu.
func (p *signedInUsers) unwatch(c *Conn) {
	for _, id := range c.watchlist {
		k := key{c.peer.App, id}
		if other := p.known[k]; other != nil {
			delete(other.watchers, c)
			p.forget(k, other)
		}
	}
}

// person finds or creates a person; needs mu.
func (p *signedInUsers) person(k key) *person {
	who := p.known[k]
	if who == nil {
		who = &person{
			sockets: map[*Conn]struct{}{}, watchers: map[*Conn]struct{}{}, elsewhere: p.presence.OthersSignedIn(k.app, k.name),
		}
		p.known[k] = who
	}
	return who
}

// elsewhere notes whether other nodes have sockets of a user.
func (p *signedInUsers) elsewhere(k key, online bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.known[k]
	if who == nil || who.elsewhere == online {
		return
	}
	before := who.online()
	who.elsewhere = online
	if who.online() != before {
		who.tell(k.name, online)
	}
}

// forget drops a person without sockets and watchers; needs mu.
func (p *signedInUsers) forget(k key, who *person) {
	if len(who.sockets) == 0 && len(who.watchers) == 0 {
		drop(&p.known, &p.most, k)
	}
}

// tell tells the watchers that the person has come or gone; needs signedInUsers.mu,
// which keeps the news of a user in order for each socket.
func (who *person) tell(id string, online bool) {
	type made struct {
		dialect Dialect
		frame   []byte
	}
	var frames []made // one for each dialect
	for c := range who.watchers {
		d := c.peer.Dialect
		i := slices.IndexFunc(frames, func(m made) bool { return m.dialect == d })
		if i < 0 {
			i = len(frames)
			frames = append(frames, made{d, d.WatchlistEvents(online, []string{id})})
		}
		c.peer.Out.Queue(frames[i].frame)
	}
}

package broadcasting

import (
	"context"
	"errors"
	"time"
)

// ErrOtherOwner is returned by Grant and Identify when the socket belongs to another
// user.
var ErrOtherOwner = errors.New("broadcasting: the socket belongs to another user")

// sessionGrace is how long a socket outlives its owner's session, so that a client that
// refreshes the session a little late is not cut off.
const sessionGrace = 5 * time.Minute

// Owner is the user that a socket belongs to, by Grant or Identify, and the user's
// session that vouched for it. A socket has one owner until it closes. It ends with the
// newest session that vouched for it.
type Owner struct {
	UserID  string
	Session int64     // higher than those of the user's earlier sessions; 0: of none
	Until   time.Time // the end of the session, as far as it is known; zero: it has none
}

// claim makes the socket the user's, or returns ErrOtherOwner. A claim by an earlier
// state of the session, from before it was extended, does not shorten it. A claim by an
// earlier session changes nothing either: its request may be late, and the session over,
// whose end must not close a socket of the next one. claim needs mu.
func (c *Conn) claim(o Owner) error {
	switch {
	case c.owner.UserID == "":
		c.engine.index(o.UserID, c)
	case c.owner.UserID != o.UserID:
		return ErrOtherOwner
	case c.owner.Session > o.Session, c.owner.Session == o.Session && !endsLater(o.Until, c.owner.Until):
		return nil
	}
	c.owner = o
	c.planEnding()
	return nil
}

// endsLater reports whether a session that ends at a ends later than at b.
func endsLater(a, b time.Time) bool { return !b.IsZero() && (a.IsZero() || a.After(b)) }

// planEnding starts the timer that closes the socket after its owner's session; needs
// mu.
func (c *Conn) planEnding() {
	c.stopEnding()
	if !c.owner.Until.IsZero() {
		c.ending = time.AfterFunc(time.Until(c.owner.Until.Add(sessionGrace)), c.endIfOver)
	}
}

// stopEnding needs mu.
func (c *Conn) stopEnding() {
	if c.ending != nil {
		c.ending.Stop()
		c.ending = nil
	}
}

// endIfOver closes the socket if its owner's session is over. It may be called too
// early: the session may have been extended, or the clock put back.
func (c *Conn) endIfOver() {
	c.mu.Lock()
	over := !c.closed && c.ending != nil && time.Since(c.owner.Until) >= sessionGrace
	if !c.closed && c.ending != nil && !over {
		c.planEnding()
	}
	c.mu.Unlock()
	if over {
		c.peer.Disconnect(AccessEnded)
	}
}

// grant does nothing when ctx has ended: the caller no longer learns of the grant, and
// could not take it back.
func (c *Conn) grant(ctx context.Context, o Owner, channel, data string) (found bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || ctx.Err() != nil {
		return false, nil
	}
	if err := c.claim(o); err != nil {
		return true, err
	}
	if c.grants == nil {
		c.grants = map[string]string{}
	}
	c.grants[channel] = data
	delete(c.revoked, channel)
	return true, nil
}

// identify does nothing when ctx has ended, like grant.
func (c *Conn) identify(ctx context.Context, o Owner) (found bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || ctx.Err() != nil {
		return false, nil
	}
	if err := c.claim(o); err != nil {
		return true, err
	}
	c.identified = true
	return true, nil
}

// Identified reports whether Identify has named this user as the socket's owner. A
// proof that came with Identify is known to be the owner's when it is used.
func (c *Conn) Identified(userID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identified && c.owner.UserID == userID
}

// session returns the newest session that vouched for the socket.
func (c *Conn) session() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owner.Session
}

// extend moves the end of the session to a later time.
func (c *Conn) extend(session int64, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && c.owner.Session == session && endsLater(until, c.owner.Until) {
		c.owner.Until = until
		c.planEnding()
	}
}

package socketio

import (
	"context"
	"errors"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// Subscription is a channel that a client enters when it is in its namespace already.
type Subscription struct {
	Channel string
	Encoder Encoder // of the channel's events; if it is a Teller, of what becomes of the subscription, too
	Most    int     // the limit of channels of this namespace of the client

	// Resume begins with what came after the event with the number After.
	Resume bool
	After  int64

	// Authorize asks whether the client may enter. It is called once more when the engine
	// knows that it may: access that ends later ends the subscription.
	Authorize func(ctx context.Context) error
	// Begun is called before the first event is queued. It must neither block nor lock; nil:
	// it is not called.
	Begun func()
}

// Teller is an Encoder with words for what becomes of a subscription. With another Encoder
// the client loses the whole namespace when it may no longer be in the channel.
type Teller interface {
	Encoder
	// Lost returns what a client gets that may no longer be in a channel.
	Lost(channel string) []Emit
	// Missed returns what a client gets of which a Subscription has asked for what is no
	// longer kept. oldest is the lowest number that is, and what is later than last will come.
	Missed(channel string, oldest, last int64) []Emit
	// Resumed returns what a client gets when it has all events up to a number.
	Resumed(channel string, number int64) []Emit
}

// withdrawTime is how long an access may take to be withdrawn.
const withdrawTime = 10 * time.Second

// begun is a mark, as those of dialect: the subscription that is being made has begun.
var begun = []byte("begun")

// Subscribe lets the client into a channel, or gives it another Encoder in one that it is
// in. It may be called only by the handlers of the client's events, which run one after the
// other. Its errors are those of Authorize and of the engine.
func (s *Socket) Subscribe(ctx context.Context, want Subscription) error {
	n := s.n
	name, err := channels.Parse(want.Channel)
	if err != nil {
		return err
	}
	if n.userID == 0 { // nothing could end the access
		return broadcasting.ErrNotGranted
	}
	if err := n.grant(ctx, name, want.Authorize); err != nil {
		return err
	}
	if _, in := n.conn.Subscribed(name.Full); in && want.Resume { // what came since is sent again
		n.conn.Unsubscribe(name.Full)
	}
	if want.Begun != nil {
		n.begun = want.Begun
		defer func() { n.begun = nil }()
	}
	return n.conn.Subscribe(ctx, broadcasting.SubscribeRequest{
		Name: name, NeedsGrant: true, MaxChannels: want.Most, Resume: want.Resume, After: want.After,
		Dialect: dialect{srv: n.of.c.srv, encoder: want.Encoder, prefix: n.prefix, offsets: name.Full == n.placed, later: true},
	})
}

// Unsubscribe takes the client out of a channel, if it is in it.
func (s *Socket) Unsubscribe(channel string) {
	if s.n.conn != nil {
		s.n.conn.Unsubscribe(channel)
	}
}

// Subscribed reports whether the client is in a channel.
func (s *Socket) Subscribed(channel string) bool {
	if s.n.conn == nil {
		return false
	}
	_, in := s.n.conn.Subscribed(channel)
	return in
}

// grant notes that the client may enter a channel. What ends the access between the first
// question and the note does not find it, so the question is asked again.
func (n *namespace) grant(ctx context.Context, name channels.Name, authorize func(context.Context) error) error {
	if err := authorize(ctx); err != nil {
		return err
	}
	opt, owner := n.of.c.srv.opt, n.owner
	found, err := opt.Engine.Grant(ctx, opt.App, n.id, owner, name.Full, "")
	if err != nil {
		return err
	}
	if !found {
		return broadcasting.ErrClosed
	}
	if err = authorize(ctx); err == nil {
		return nil
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
	defer cancel()
	return errors.Join(err, opt.Engine.Unsubscribe(after, owner.UserID, name.Full))
}

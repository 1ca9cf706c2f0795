package app

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
)

// orderTime is the time limit for a request to the other nodes.
const orderTime = 5 * time.Second

// live lets the rules act on the sockets.
type live struct {
	engine *broadcasting.Engine
	relay  *broadcasting.Relay
	waker  *waker // nil: no other node leads the relay
	app    string // the app whose channels carry the rules' events
	log    *slog.Logger
}

var _ crm.Relayed = (*live)(nil)

// Relayed implements crm.Relayed.
func (*live) Relayed() {}

func (l *live) Wake() {
	l.relay.Wake()
	if l.waker != nil && !l.relay.Health().Leading {
		l.waker.wake()
	}
}

func (l *live) Unsubscribe(userID int64, names ...string) error {
	return l.end(userID, func(ctx context.Context, user string) error { return l.engine.Unsubscribe(ctx, user, names...) })
}

func (l *live) Disconnect(userID int64) error { return l.EndEarlierSessions(userID, 0) }

func (l *live) EndEarlierSessions(userID, session int64) error {
	return l.end(userID, func(ctx context.Context, user string) error { return l.engine.EndEarlierSessions(ctx, user, session) })
}

func (l *live) EndSession(userID, session int64) error {
	return l.end(userID, func(ctx context.Context, user string) error { return l.engine.EndSession(ctx, user, session) })
}

// end ends an access of the user on all nodes.
func (l *live) end(userID int64, f func(ctx context.Context, user string) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	err := f(ctx, strconv.FormatInt(userID, 10))
	if err != nil {
		l.log.ErrorContext(ctx, "the end of an access was not seen by every node, and they will be told again", "user", userID, "error", err)
	}
	return err
}

func (l *live) ExtendSession(userID, session int64, until time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	owner := broadcasting.Owner{UserID: strconv.FormatInt(userID, 10), Session: session, Until: until}
	if err := l.engine.ExtendSession(ctx, owner); err != nil {
		l.log.WarnContext(ctx, "another node was not told that a session goes on, and may end its sockets", "user", userID, "error", err)
	}
}

func (l *live) Publish(names []string, event, data string) {
	for _, name := range names {
		// The event is lost if the broker fails: the next one comes within seconds.
		if err := l.engine.Publish(context.Background(), broadcasting.Event{App: l.app, Channel: name, Name: event, Data: data}); err != nil {
			l.log.Warn("an event for the sockets alone was lost", "event", event, "error", err)
		}
	}
}

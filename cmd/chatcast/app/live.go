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

var _ crm.Live = (*live)(nil)

func (l *live) Wake() {
	l.relay.Wake()
	if l.waker != nil && !l.relay.Health().Leading {
		l.waker.wake()
	}
}

func (l *live) Unsubscribe(userID int64, names ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	if err := l.engine.Unsubscribe(ctx, strconv.FormatInt(userID, 10), names...); err != nil {
		l.log.ErrorContext(ctx, "the end of an access was not seen by every node", "user", userID, "channels", names, "error", err)
	}
}

func (l *live) Disconnect(userID int64) { l.EndEarlierSessions(userID, 0) }

func (l *live) EndEarlierSessions(userID, session int64) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	if err := l.engine.EndEarlierSessions(ctx, strconv.FormatInt(userID, 10), session); err != nil {
		l.log.ErrorContext(ctx, "a user's sockets were not closed on every node", "user", userID, "error", err)
	}
}

func (l *live) EndSession(userID, session int64) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	if err := l.engine.EndSession(ctx, strconv.FormatInt(userID, 10), session); err != nil {
		l.log.ErrorContext(ctx, "the end of a session was not seen by every node", "user", userID, "error", err)
	}
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

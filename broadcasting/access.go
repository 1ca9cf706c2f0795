package broadcasting

import (
	"context"
	"slices"
	"time"
)

// Grant notes that the socket, whichever node it is on, is the owner's and may enter the
// channel. data is what was signed with the permission, see SubscribeRequest. The
// subscription will then be known as the owner's. Grant also lifts what Unsubscribe did
// to this socket and channel. It returns false when no node has the socket,
// ErrOtherOwner when the socket is another user's, and any other error when that could
// not be determined.
//
// Callers must check the permission and the session again after Grant, and call
// Unsubscribe or EndSession when it is gone: what ended just before Grant did not find
// the socket.
func (e *Engine) Grant(ctx context.Context, app, socketID string, o Owner, channel, data string) (bool, error) {
	if found, err := e.grantHere(ctx, app, socketID, o, channel, data); found {
		return true, err
	}
	order := ownerOrder(OrderGrant, o)
	order.App, order.SocketID, order.Channels, order.Data = app, socketID, []string{channel}, data
	return e.foundElsewhere(ctx, order)
}

// Identify notes that the socket is the owner's, without granting a channel. Its results
// are those of Grant, and so is what its callers must do.
func (e *Engine) Identify(ctx context.Context, app, socketID string, o Owner) (bool, error) {
	if found, err := e.identifyHere(ctx, app, socketID, o); found {
		return true, err
	}
	order := ownerOrder(OrderIdentify, o)
	order.App, order.SocketID = app, socketID
	return e.foundElsewhere(ctx, order)
}

// foundElsewhere asks the other nodes for a socket until one has it. It ignores nodes
// that did not answer when another one has the socket.
func (e *Engine) foundElsewhere(ctx context.Context, o Order) (bool, error) {
	var of Answer // of the node that has the socket
	_, err := e.survey(ctx, o, func(a Answer) bool {
		if a.Found {
			of = a
		}
		return of.Found
	})
	switch {
	case of.Refused:
		return true, ErrOtherOwner
	case of.Found:
		return true, nil
	}
	return false, err
}

// survey calls Control.Survey, and returns ErrUnknownOrder when a node did not know the
// order.
func (e *Engine) survey(ctx context.Context, o Order, enough func(Answer) bool) ([]Answer, error) {
	answers, err := e.control.Survey(ctx, o, enough)
	if err == nil && slices.ContainsFunc(answers, func(a Answer) bool { return a.Unknown }) {
		err = ErrUnknownOrder
	}
	return answers, err
}

// Unsubscribe ends the user's subscriptions to the channels on all of the user's
// sockets. Each socket is told, and cannot return with the signature it has. On this
// node this happens at once, whatever the other nodes answer.
func (e *Engine) Unsubscribe(ctx context.Context, userID string, channels ...string) error {
	e.unsubscribeHere(userID, channels)
	_, err := e.survey(ctx, Order{Kind: OrderUnsubscribe, UserID: userID, Channels: channels}, nil)
	return err
}

// Disconnect closes every socket that is the user's by Grant or Identify. On this node
// this happens at once, whatever the other nodes answer.
func (e *Engine) Disconnect(ctx context.Context, userID string) error {
	return e.EndEarlierSessions(ctx, userID, 0)
}

// EndEarlierSessions is Disconnect for the sockets for which no session from this one on
// has vouched; 0: for all.
func (e *Engine) EndEarlierSessions(ctx context.Context, userID string, session int64) error {
	e.endEarlierHere(userID, session)
	_, err := e.survey(ctx, Order{Kind: OrderDisconnect, UserID: userID, Session: session}, nil)
	return err
}

// EndSession closes the sockets for which a session of the user vouched, and no later one.
// On this node this happens at once, whatever the other nodes answer.
func (e *Engine) EndSession(ctx context.Context, userID string, session int64) error {
	e.endSessionHere(userID, session)
	_, err := e.survey(ctx, Order{Kind: OrderEndSession, UserID: userID, Session: session}, nil)
	return err
}

// ExtendSession tells the sockets that the owner's session vouched for of its new end,
// which is ignored when it is not later than the one they know.
func (e *Engine) ExtendSession(ctx context.Context, o Owner) error {
	e.extendHere(o)
	_, err := e.survey(ctx, ownerOrder(OrderExtend, o), nil)
	return err
}

// Terminate closes every socket that is signed in to the app as the user, and returns
// how many it closed. They may return if the app lets them. On this node this happens
// at once, whatever the other nodes answer.
func (e *Engine) Terminate(ctx context.Context, app, userID string) (sockets int, err error) {
	sockets = e.terminateHere(app, userID)
	answers, err := e.survey(ctx, Order{Kind: OrderTerminate, App: app, UserID: userID}, nil)
	for _, a := range answers {
		sockets += a.Sockets
	}
	return sockets, err
}

// CutOff closes all sockets of this node, which may have missed orders of the other nodes.
// They may return, and prove again what they may do.
func (e *Engine) CutOff() {
	e.connsMu.RLock()
	list := make([]*Conn, 0, len(e.conns))
	for _, c := range e.conns {
		list = append(list, c)
	}
	e.connsMu.RUnlock()
	for _, c := range list {
		c.peer.Disconnect(CutOff)
	}
}

// RemoveApp removes an app from this node: its sockets leave their channels and no
// longer belong to a user, and its cache channels lose their event. Sockets that are
// still in its channels are told as of any other leaving. The caller must close the
// sockets. Every node does so when it learns that the app is gone: one that learns of it
// late must not end the sockets that others have of an app with the same id.
func (e *Engine) RemoveApp(ctx context.Context, app string) error {
	e.removeAppHere(app)
	return e.broker.RemoveApp(ctx, app)
}

// AppsChanged tells the other nodes that an app has changed; see OnAppsChanged.
func (e *Engine) AppsChanged(ctx context.Context) error {
	_, err := e.survey(ctx, Order{Kind: OrderAppsChanged}, nil)
	return err
}

// Cached returns the data of a cache channel's last event and how much longer it is
// kept. ok is false when there is none.
func (e *Engine) Cached(ctx context.Context, app, channel string) (data string, ttl time.Duration, ok bool, err error) {
	last, err := e.broker.Last(ctx, app, channel)
	if err != nil || last.Version == 0 {
		return "", 0, false, err
	}
	return last.Event.Data, last.TTL, true, nil
}

func (e *Engine) grantHere(ctx context.Context, app, socketID string, o Owner, channel, data string) (found bool, err error) {
	if c := e.conn(app, socketID); c != nil {
		return c.grant(ctx, o, channel, data)
	}
	return false, nil
}

func (e *Engine) identifyHere(ctx context.Context, app, socketID string, o Owner) (found bool, err error) {
	if c := e.conn(app, socketID); c != nil {
		return c.identify(ctx, o)
	}
	return false, nil
}

func (e *Engine) unsubscribeHere(userID string, channels []string) {
	for _, c := range e.socketsOf(userID) {
		for _, name := range channels {
			c.unsubscribeUser(name, userID)
		}
	}
}

func (e *Engine) endEarlierHere(userID string, session int64) {
	for _, c := range e.socketsOf(userID) {
		if session == 0 || c.session() < session {
			c.peer.Disconnect(AccessEnded)
		}
	}
}

func (e *Engine) endSessionHere(userID string, session int64) {
	for _, c := range e.socketsOf(userID) {
		if c.session() == session {
			c.peer.Disconnect(AccessEnded)
		}
	}
}

func (e *Engine) extendHere(o Owner) {
	for _, c := range e.socketsOf(o.UserID) {
		c.extend(o.Session, o.Until)
	}
}

func (e *Engine) terminateHere(app, userID string) (sockets int) {
	list := e.signedIn.sockets(key{app, userID})
	for _, c := range list {
		c.peer.Disconnect(Terminated)
	}
	return len(list)
}

func (e *Engine) removeAppHere(app string) {
	e.connsMu.RLock()
	var list []*Conn
	for k, c := range e.conns {
		if k.app == app {
			list = append(list, c)
		}
	}
	e.connsMu.RUnlock()
	for _, c := range list {
		c.Close()
	}
}

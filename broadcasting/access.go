package broadcasting

import (
	"context"
	"time"
)

// Grant says that the user was allowed to enter channel on the socket, wherever the
// socket is, so that it is known whose the subscription will be, and lifts what
// Unsubscribe did to this socket and channel. It is false when no node has the
// socket, and an error when that could not be found out.
//
// Callers must check the permission again after Grant, and call Unsubscribe when it
// is gone: an Unsubscribe that came just before the Grant is undone by it.
func (e *Engine) Grant(ctx context.Context, app, socketID, channel, userID string) (bool, error) {
	if e.grantHere(app, socketID, channel, userID) {
		return true, nil
	}
	return e.foundElsewhere(ctx, Order{Kind: OrderGrant, App: app, SocketID: socketID, UserID: userID, Channels: []string{channel}})
}

// Identify says that the socket is the user's without a word about channels, so
// that Disconnect closes it. Its answers are those of Grant.
func (e *Engine) Identify(ctx context.Context, app, socketID, userID string) (bool, error) {
	if e.identifyHere(app, socketID, userID) {
		return true, nil
	}
	return e.foundElsewhere(ctx, Order{Kind: OrderIdentify, App: app, SocketID: socketID, UserID: userID})
}

// foundElsewhere asks the other nodes for a socket. A node that did not answer
// matters only when no other has it.
func (e *Engine) foundElsewhere(ctx context.Context, o Order) (bool, error) {
	answers, err := e.control.Survey(ctx, o)
	for _, a := range answers {
		if a.Found {
			return true, nil
		}
	}
	return false, err
}

// Unsubscribe ends the user's subscriptions to the channels, on every socket of
// theirs: each socket is told, and cannot come back with the signature it has. On
// this node that is done at once, whatever the others answer.
func (e *Engine) Unsubscribe(ctx context.Context, userID string, channels ...string) error {
	e.unsubscribeHere(userID, channels)
	_, err := e.control.Survey(ctx, Order{Kind: OrderUnsubscribe, UserID: userID, Channels: channels})
	return err
}

// Disconnect closes every socket of the user, as far as Grant and Identify said
// whose it is. On this node that is done at once, whatever the others answer.
func (e *Engine) Disconnect(ctx context.Context, userID string) error {
	e.disconnectHere(userID)
	_, err := e.control.Survey(ctx, Order{Kind: OrderDisconnect, UserID: userID})
	return err
}

// Terminate closes every socket that is signed in to the app as the user, and
// returns how many those were. They may come back when the app lets them. On this
// node that is done at once, whatever the others answer.
func (e *Engine) Terminate(ctx context.Context, app, userID string) (sockets int, err error) {
	sockets = e.terminateHere(app, userID)
	answers, err := e.control.Survey(ctx, Order{Kind: OrderTerminate, App: app, UserID: userID})
	for _, a := range answers {
		sockets += a.Sockets
	}
	return sockets, err
}

// RemoveApp ends everything of an app that is gone, on every node: its sockets leave
// their channels and are nobody's any more, and its cache channels have no event.
// Whoever is left in its channels hears of that as of any leaving. Closing the
// sockets is the caller's.
func (e *Engine) RemoveApp(ctx context.Context, app string) error {
	e.removeAppHere(app)
	if err := e.broker.RemoveApp(ctx, app); err != nil {
		return err
	}
	_, err := e.control.Survey(ctx, Order{Kind: OrderRemoveApp, App: app})
	return err
}

// AppsChanged tells the other nodes that an app has changed; see OnAppsChanged.
func (e *Engine) AppsChanged(ctx context.Context) error {
	_, err := e.control.Survey(ctx, Order{Kind: OrderAppsChanged})
	return err
}

// Cached is the data of a cache channel's last event and how much longer it is
// kept; ok is false when there is none.
func (e *Engine) Cached(ctx context.Context, app, channel string) (data string, ttl time.Duration, ok bool, err error) {
	ev, ttl, err := e.broker.Last(ctx, app, channel)
	if err != nil || ev == nil {
		return "", 0, false, err
	}
	return ev.Data, ttl, true, nil
}

func (e *Engine) grantHere(app, socketID, channel, userID string) bool {
	c := e.conn(app, socketID)
	return c != nil && c.grant(channel, userID)
}

func (e *Engine) identifyHere(app, socketID, userID string) bool {
	c := e.conn(app, socketID)
	return c != nil && c.identify(userID)
}

func (e *Engine) unsubscribeHere(userID string, channels []string) {
	for _, c := range e.socketsOf(userID) {
		for _, name := range channels {
			c.unsubscribeUser(name, userID)
		}
	}
}

func (e *Engine) disconnectHere(userID string) {
	for _, c := range e.socketsOf(userID) {
		c.peer.Disconnect(AccessEnded)
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

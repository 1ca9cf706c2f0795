package broadcasting

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Grant notes that the user was allowed to enter channel on the socket, whichever node
// the socket is on. The subscription will then be known as the user's. Grant also lifts
// what Unsubscribe did to this socket and channel. It returns false when no node has
// the socket, and an error when that could not be determined.
//
// Callers must check the permission again after Grant, and call Unsubscribe when it is
// gone: Grant undoes an Unsubscribe that came just before it.
func (e *Engine) Grant(ctx context.Context, app, socketID, channel, userID string) (bool, error) {
	if e.grantHere(ctx, app, socketID, channel, userID) {
		return true, nil
	}
	return e.foundElsewhere(ctx, Order{Kind: OrderGrant, App: app, SocketID: socketID, UserID: userID, Channels: []string{channel}})
}

// Identify notes that the socket is the user's, without granting a channel, so that
// Disconnect closes it. Its results are those of Grant.
func (e *Engine) Identify(ctx context.Context, app, socketID, userID string) (bool, error) {
	if e.identifyHere(ctx, app, socketID, userID) {
		return true, nil
	}
	return e.foundElsewhere(ctx, Order{Kind: OrderIdentify, App: app, SocketID: socketID, UserID: userID})
}

// foundElsewhere asks the other nodes for a socket until one has it. It ignores nodes
// that did not answer when another one has the socket.
func (e *Engine) foundElsewhere(ctx context.Context, o Order) (bool, error) {
	found := false
	_, err := e.survey(ctx, o, func(a Answer) bool { found = found || a.Found; return found })
	if found {
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

// Disconnect closes every socket that is known as the user's by Grant or Identify. On
// this node this happens at once, whatever the other nodes answer.
func (e *Engine) Disconnect(ctx context.Context, userID string) error {
	e.disconnectHere(userID)
	_, err := e.survey(ctx, Order{Kind: OrderDisconnect, UserID: userID}, nil)
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

// RemoveApp removes an app from every node: its sockets leave their channels and no
// longer belong to a user, and its cache channels lose their event. Sockets that are
// still in its channels are told as of any other leaving. The caller must close the
// sockets.
func (e *Engine) RemoveApp(ctx context.Context, app string) error {
	e.removeAppHere(app)
	_, err := e.survey(ctx, Order{Kind: OrderRemoveApp, App: app}, nil)
	return errors.Join(err, e.broker.RemoveApp(ctx, app))
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

func (e *Engine) grantHere(ctx context.Context, app, socketID, channel, userID string) bool {
	c := e.conn(app, socketID)
	return c != nil && c.grant(ctx, channel, userID)
}

func (e *Engine) identifyHere(ctx context.Context, app, socketID, userID string) bool {
	c := e.conn(app, socketID)
	return c != nil && c.identify(ctx, userID)
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

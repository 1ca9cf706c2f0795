package broadcasting

import (
	"context"

	"chatcast/channels"
)

// node applies to its engine what the other nodes report and ask for. It implements
// PresenceListener, and handles the orders of Control.
type node struct{ *Engine }

var _ PresenceListener = node{}

// handle carries out the order of another node.
func (n node) handle(ctx context.Context, o Order) (a Answer) {
	switch o.Kind {
	case OrderGrant:
		if len(o.Channels) == 1 {
			a = answerOf(n.grantHere(ctx, o.App, o.SocketID, o.owner(), o.Channels[0], o.Data))
		}
	case OrderIdentify:
		a = answerOf(n.identifyHere(ctx, o.App, o.SocketID, o.owner()))
	case OrderUnsubscribe:
		n.unsubscribeHere(o.UserID, o.Channels)
	case OrderDisconnect:
		n.endEarlierHere(o.UserID, o.Session)
	case OrderEndSession:
		n.endSessionHere(o.UserID, o.Session)
	case OrderExtend:
		n.extendHere(o.owner())
	case OrderTerminate:
		a.Sockets = n.terminateHere(o.App, o.UserID)
	case OrderAppsChanged:
		if n.appsChanged != nil {
			n.appsChanged(ctx)
		}
	case OrderReceived:
		if len(o.Channels) == 1 {
			var p Progress
			p, a.Found = n.receivedHere(o.App, o.SocketID, o.UserID, o.Channels[0])
			a.Seq, a.Confirmed = p.Seq, p.Confirmed
		}
	default:
		a.Unknown = true
	}
	return a
}

// answerOf answers an order to take ownership of a socket.
func answerOf(found bool, err error) Answer { return Answer{Found: found, Refused: err != nil} }

// OthersSubscribed implements PresenceListener.
func (n node) OthersSubscribed(app, name string) {
	n.withChannel(app, name, func(ch *channel) {
		switch {
		case ch.subscribers() > 0:
			n.counted(ch, false)
		case n.subscriptions(ch) > 0:
			n.record(ch, ChannelEvent{Kind: Occupied})
		default:
			n.record(ch, ChannelEvent{Kind: Vacated})
		}
	})
}

// OtherMemberAdded implements PresenceListener. A member that is also on this node is
// known already.
func (n node) OtherMemberAdded(app, name string, m *Member) {
	n.withChannel(app, name, func(ch *channel) {
		if ch.roster != nil && ch.roster.addElsewhere(m) {
			ch.tellMembers(func(d Dialect) []byte { return d.MemberAdded(name, m) })
		}
		n.record(ch, ChannelEvent{Kind: MemberAdded, UserID: m.ID})
	})
}

// OtherMemberRemoved implements PresenceListener.
func (n node) OtherMemberRemoved(app, name, userID string) {
	n.withChannel(app, name, func(ch *channel) {
		if ch.roster != nil && ch.roster.removeElsewhere(userID) {
			ch.tellMembers(func(d Dialect) []byte { return d.MemberRemoved(name, userID) })
		}
		if ch.roster == nil || !ch.roster.has(userID) {
			n.record(ch, ChannelEvent{Kind: MemberRemoved, UserID: userID})
		}
	})
}

// withChannel calls f with a channel, locked. Without a sink, f is called only if the
// channel has subscribers here: nobody else is to be told.
func (n node) withChannel(app, name string, f func(ch *channel)) {
	if n.sink == nil {
		if ch := n.hub.find(key{app, name}); ch != nil {
			ch.mu.Lock()
			defer ch.mu.Unlock()
			if !ch.closed {
				f(ch)
			}
		}
		return
	}
	of, err := channels.Parse(name)
	if err != nil {
		return // a node of another version may know more kinds of channels
	}
	ch := n.hub.enter(key{app, name}, of)
	f(ch)
	n.hub.unlock(ch)
}

// OtherSignedIn implements PresenceListener.
func (n node) OtherSignedIn(app, userID string, online bool) {
	if app == sharedApp {
		if n.shared != nil {
			n.shared(userID, online)
		}
		return
	}
	n.signedIn.elsewhere(key{app, userID}, online)
}

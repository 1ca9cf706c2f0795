package broadcasting

import "context"

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
	case OrderRemoveApp:
		n.removeAppHere(o.App)
	case OrderAppsChanged:
		if n.appsChanged != nil {
			n.appsChanged(ctx)
		}
	default:
		a.Unknown = true
	}
	return a
}

// answerOf answers an order to take ownership of a socket.
func answerOf(found bool, err error) Answer { return Answer{Found: found, Refused: err != nil} }

// OthersSubscribed implements PresenceListener.
func (n node) OthersSubscribed(app, channel string) {
	ch := n.hub.find(key{app, channel})
	if ch == nil {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.closed {
		n.counted(ch, false)
	}
}

// OtherMemberAdded implements PresenceListener. A member that is also on this node is
// known already.
func (n node) OtherMemberAdded(app, name string, m *Member) {
	n.withRoster(app, name, func(ch *channel, r *roster) {
		if r.addElsewhere(m) {
			ch.tellMembers(func(d Dialect) []byte { return d.MemberAdded(name, m) })
		}
	})
}

// OtherMemberRemoved implements PresenceListener.
func (n node) OtherMemberRemoved(app, name, userID string) {
	n.withRoster(app, name, func(ch *channel, r *roster) {
		if r.removeElsewhere(userID) {
			ch.tellMembers(func(d Dialect) []byte { return d.MemberRemoved(name, userID) })
		}
	})
}

// withRoster calls f with a presence channel that has subscribers here. The channel is
// locked during the call.
func (n node) withRoster(app, name string, f func(ch *channel, r *roster)) {
	ch := n.hub.find(key{app, name})
	if ch == nil {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.closed && ch.roster != nil {
		f(ch, ch.roster)
	}
}

// OtherSignedIn implements PresenceListener.
func (n node) OtherSignedIn(app, userID string, online bool) {
	n.signedIn.elsewhere(key{app, userID}, online)
}

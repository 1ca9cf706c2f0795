package pusher

import "chatcast/channels"

// countsName reports whether a subscription counts for the names of the socket, and
// whether there is room for it. Everybody who knows the app's key can open sockets, so
// what one holds before somebody vouches for it is bounded. Only the reader subscribes
// to public channels and leaves them, so its count is right.
func (k *socket) countsName(name channels.Name) (counts, room bool) {
	limit := k.app().Limits.AnonymousChannelBytes
	if k.vouched || name.Guarded() || limit == 0 {
		return false, true
	}
	if _, in := k.conn.Subscribed(name.Full); in {
		return false, true
	}
	return true, k.names+len(name.Full) <= limit
}

package broadcasting

import "context"

// Presence shares among the nodes how many sockets each of them has in a channel, which
// members those are, and who is signed in. The statements of a node end with the node,
// so nothing has to be cleaned up after a node that died.
//
// Every implementation must pass clustertest.Presence.
type Presence interface {
	// Attach is called once, before any other method. others is told of the changes on
	// the other nodes.
	Attach(others PresenceListener)
	// Run works until ctx ends. Then the other nodes forget this one, and ignore what
	// it reports later.
	Run(ctx context.Context) error

	// The node reports its own sockets with the following methods. They neither block
	// nor call the listener. The calls for each channel and each user come in order.

	// Subscribed reports how many sockets of this node are in the channel now.
	Subscribed(app, channel string, sockets int)
	// MemberAdded reports that m has a first socket of this node in the channel.
	MemberAdded(app, channel string, m *Member)
	// MemberRemoved reports that the user's last socket of this node has left.
	MemberRemoved(app, channel, userID string)
	// SignedIn reports how many sockets of this node are signed in as the user now.
	SignedIn(app, userID string, sockets int)

	// The following methods combine the reports of all other nodes. They answer from
	// memory, without blocking, and may be called under a channel's lock. They know of
	// a change before the listener is told.

	// OthersIn returns how many sockets of other nodes are in the channel.
	OthersIn(app, channel string) (sockets int)
	// OtherMembers returns the members that other nodes have in the channel, in no
	// particular order. They must not be changed.
	OtherMembers(app, channel string) []*Member
	// OthersSignedIn reports whether another node has a socket of the user.
	OthersSignedIn(app, userID string) bool
	// OtherChannels lists the channels in which other nodes have sockets and whose
	// names begin with prefix. An empty app is every app.
	OtherChannels(app, prefix string) []Occupancy

	// Complete returns nil when this node hears every other node. Otherwise its
	// knowledge of them may be old or have gaps, and the error says so.
	Complete(ctx context.Context) error
}

// PresenceListener is told of changes on the other nodes, taken together. The calls for
// each channel and each user come in order, and never while Presence holds a lock.
type PresenceListener interface {
	// OthersSubscribed is called when the number of the other nodes' sockets in the
	// channel has changed.
	OthersSubscribed(app, channel string)
	// OtherMemberAdded is called when m appears on the first of the other nodes.
	OtherMemberAdded(app, channel string, m *Member)
	// OtherMemberRemoved is called when the user has left the last of the other nodes.
	OtherMemberRemoved(app, channel, userID string)
	// OtherSignedIn is called when the first of the other nodes has a socket of the
	// user, and when the last one no longer has any.
	OtherSignedIn(app, userID string, online bool)
}

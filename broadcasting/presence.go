package broadcasting

import "context"

// Presence shares among the nodes what the sockets of each one do: how many are
// in a channel, which members those are, and who is signed in. What a node says
// is the node's own and ends with it: nobody has to clean up after a node that
// died.
//
// An implementation passes clustertest.Presence.
type Presence interface {
	// Attach is called once, before anything else, with who hears of the other
	// nodes.
	Attach(others PresenceListener)
	// Run works until ctx ends. The other nodes forget this one then, and what it says
	// later they do not hear.
	Run(ctx context.Context) error

	// The node says with these what its own sockets do. They neither block nor call
	// the listener, and are called in order for each channel and each user.

	// Subscribed says how many sockets of this node are in the channel now.
	Subscribed(app, channel string, sockets int)
	// MemberAdded says that m has a first socket of this node in the channel.
	MemberAdded(app, channel string, m *Member)
	// MemberRemoved says that the user's last socket of this node has left.
	MemberRemoved(app, channel, userID string)
	// SignedIn says how many sockets of this node are signed in as the user now.
	SignedIn(app, userID string, sockets int)

	// What the other nodes say, together. These answer from memory, without
	// blocking, and may be called under a channel's lock. They know of a change before
	// the listener hears of it.

	// OthersIn is how many sockets of other nodes are in the channel.
	OthersIn(app, channel string) (sockets int)
	// OtherMembers is which members other nodes have in the channel, in no order. They
	// must not be changed.
	OtherMembers(app, channel string) []*Member
	// OthersSignedIn says whether another node has a socket of the user.
	OthersSignedIn(app, userID string) bool
	// OtherChannels lists the channels in which other nodes have sockets and whose
	// names begin with prefix. An empty app is every app.
	OtherChannels(app, prefix string) []Occupancy

	// Complete returns nil when this node hears every other node. Otherwise what it
	// knows of them may be old or have gaps, and the error says so.
	Complete(ctx context.Context) error
}

// PresenceListener hears what changes on the other nodes, taken together: in order
// for each channel and each user, and never while Presence holds a lock.
type PresenceListener interface {
	// OthersSubscribed is called when the number of the other nodes' sockets in the
	// channel has changed.
	OthersSubscribed(app, channel string)
	// OtherMemberAdded is called when the first of the other nodes has m.
	OtherMemberAdded(app, channel string, m *Member)
	// OtherMemberRemoved is called when the last of the other nodes has the user no
	// more.
	OtherMemberRemoved(app, channel, userID string)
	// OtherSignedIn is called when the first of the other nodes has a socket of the
	// user, and when the last one has none any more.
	OtherSignedIn(app, userID string, online bool)
}

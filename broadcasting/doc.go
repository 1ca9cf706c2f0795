// Package broadcasting is the engine: an event goes in, frames come out.
//
// Engine.Publish hands an event to the Broker, which brings it to every node. On each
// node the hub finds the subscribers of the channel, has each Dialect among them encode
// the event once, and queues that frame for each subscriber. A delivery does not
// allocate, and no lock is held across I/O.
//
// Three interfaces, the seams, connect the nodes: Broker carries events and keeps the
// last event of each cache channel, Presence shares the sockets and users of each node,
// and Control asks the other nodes to do something. Memory implements all three for the
// nodes of one process, broadcasting/cluster for those of several. Peers and Lease are its
// rule of who is a node and what it has. History lists the events of the journal by channel, for sockets
// that resume one.
//
// There are two kinds of users, which are never mixed: owners of sockets, whom Grant and
// Identify name, and whose access Unsubscribe, EndSession and Disconnect take away; and
// users of an app, as which sockets sign in, whose sockets Terminate closes and whom
// watchlists watch.
//
// One Relay of the cluster publishes the committed events of a Journal to the broker,
// in order and under lasting numbers.
//
// # Goroutines and locks
//
// Engine.Run and Relay.Run each run in a goroutine of the caller until ctx ends. The
// engine starts eight more, for the seams, for its rounds and for four reads of the history
// at a time, and the relay starts one while it leads. All of them end with Run. The hub starts none. A socket whose owner's
// session has an end has a timer, which runs until the socket is closed.
//
// Locks are taken in this order: the order of a channel's kept events in Memory, Conn,
// shard, channel, a subscriber's queue, and last of all the user index, signedInUsers,
// counts, PresenceView, replays and the inboxes of Memory. signedInUsers comes before PresenceView. Peers
// tell their listener under a lock that is taken before all of these; the other one comes right before
// PresenceView. Broker.Publish,
// Broker.Last, Control.Survey and History.Since are called with none of these locks held. A node
// reports to Presence under the lock of the channel, or of signedInUsers. Queue of a
// subscriber is called under the channel's lock, which gives all subscribers the same
// order of frames; Queue of a watcher is called under the lock of signedInUsers. A
// ChannelEventSink is called under the channel's lock, a Watcher under none.
//
// The package knows nothing of the CRM. Of chatcast's packages it may import only
// channels.
package broadcasting

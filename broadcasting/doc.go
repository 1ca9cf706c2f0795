// Package broadcasting is the engine: an event goes in, frames come out.
//
// Engine.Publish hands an event to the Broker, which brings it to every node. There
// the hub finds the channel's subscribers, has each Dialect that is present among
// them encode the event once, and queues that frame for each: no allocation for a
// delivery, no lock across I/O.
//
// Three seams lie between the nodes: Broker carries events and keeps the last one of
// cache channels, Presence shares who is where, Control asks the other nodes to do
// something. Memory implements them for the nodes of one process. History is the
// journal, by channel.
//
// Two kinds of users are known, and never mixed: those that Grant and Identify name,
// whose access Unsubscribe and Disconnect take away; and those of an app, as whom
// sockets sign in, whom Terminate closes and watchlists watch.
//
// The Relay, one of the cluster, takes committed events from a Journal to the broker,
// in order and under lasting numbers.
//
// # Goroutines and locks
//
// Engine.Run and Relay.Run get a goroutine each of whoever wires the program, and
// its ctx ends them. The engine starts four more, for the seams and for its rounds,
// and the relay one while it leads; all end with Run. The hub starts none.
//
// Locks are taken in the order: of a channel's kept events in Memory, Conn, shard,
// channel, and last of all the user index, who is signed in, the counts, the view of
// the other nodes and the inboxes of Memory. Who is signed in comes before the view.
// Broker.Publish, Broker.Last and Control.Survey are called under none of them; what
// a node says to Presence is said under the channel's. Queue of a subscriber is called
// under the channel's lock, which is what puts frames in one order for everybody, and
// of a watcher under that of who is signed in. A ChannelEventSink is called under the
// channel's lock, a Watcher under none.
//
// The package contains no noun of the CRM. Of ours it may import channels alone.
package broadcasting

// Package broadcasting is the engine: an event goes in, frames come out.
//
// Engine.Publish hands an event to the Bus, which brings it to every node; there
// the hub finds the channel's subscribers, has each Dialect that is present among
// them encode the event once, and queues that frame for each: no allocation for a
// delivery, no lock across I/O. Presence, which user a subscription belongs to, who
// is signed in to an app, and the last event of cache channels are kept here too.
//
// Two kinds of users are known, and never mixed: those that Grant and Identify name,
// whose access whoever grants may take away with Evict and Disconnect; and those of
// an app, as whom sockets sign in, whom Terminate closes and watchlists watch.
//
// The Relay, one of the cluster, takes committed events from a Journal to the bus,
// in order and under lasting numbers.
//
// # Goroutines and locks
//
// Engine.Run and Relay.Run get a goroutine each of whoever wires the program, and
// its ctx ends them. The engine starts one more for the bus, and the relay one while
// it leads; both end with Run. The hub starts none. Locks are taken in the order
// Conn, shard, channel, and last of all, one of them alone, the user index, the
// people, the cache or the counts. Queue of a subscriber is called under the
// channel's lock, which is what puts frames in one order for everybody, and of a
// watcher under that of the people. A Recorder is called under the channel's lock, a
// Watcher under none.
//
// The package contains no noun of the CRM. Of ours it may import channels alone.
package broadcasting

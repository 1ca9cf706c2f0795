// Package broadcasting is the engine: an event goes in, frames come out.
//
// Engine.Publish hands an event to the Bus, which brings it to every node; there
// the hub finds the channel's subscribers, has each Dialect that is present among
// them encode the event once, and queues that frame for each: no allocation for a
// delivery, no lock across I/O. Presence, and which user a subscription belongs
// to, are kept here too.
//
// The Relay, one of the cluster, takes committed events from a Journal to the bus,
// in order and under lasting numbers.
//
// # Goroutines and locks
//
// Engine.Run is the bus's and Relay.Run the relay's; whoever wires the program
// gives each a goroutine, and its ctx ends it. The relay starts one more while it
// leads, which ends with it; the hub starts none. Locks are taken in the
// order Conn, shard, channel, and the user index last of all; Queue of a
// subscriber is called under the channel's lock, which is what puts frames in one
// order for everybody. A Watcher is called under none.
//
// The package contains no noun of the CRM. Of ours it may import channels alone.
package broadcasting

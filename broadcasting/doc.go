// Package broadcasting is the engine: an event goes in, frames come out.
//
// Engine.Publish hands an event to the Bus, which brings it to every node; there
// the hub finds the channel's subscribers, has each Dialect that is present among
// them encode the event once, and queues that frame for each: no allocation for a
// delivery, no lock across I/O. Presence, and which user a subscription belongs
// to, are kept here too.
//
// # Goroutines and locks
//
// Engine.Run is the bus's; the hub starts no goroutine. Locks are taken in the
// order Conn, shard, channel, and the user index last of all; Queue of a
// subscriber is called under the channel's lock, which is what puts frames in one
// order for everybody. A Watcher is called under none.
//
// The package contains no noun of the CRM. It imports channels of ours, nothing
// else.
package broadcasting

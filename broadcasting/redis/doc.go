// Package redis connects nodes through Redis or Valkey: it is a transport of cluster.Node
// that works with PUBLISH and SUBSCRIBE, on one server, with Sentinels, or on a Redis
// Cluster. Redis carries only what is not journalled, and may lose all that it has.
//
// # Channels
//
// Events travel in 64 partitions, by their channel, and what nodes tell each other in one
// more. Every node subscribes to all of them once, on a connection of its own; a node steps
// over the events of channels that have no subscribers here. All that is published to one
// of these channels goes to the same server of a Redis Cluster, the one that has the slot of
// its name, so all nodes hear it in the same order. What goes to different ones may arrive
// in another order there, and only there.
//
// A sender numbers its payloads in each channel. Redis keeps nothing for a node that is
// away and drops what a slow one does not read, so the numbers are how a node learns that it
// has missed something: the probe that each node sends every second shows it at the latest.
// Payloads that were held up and come after others are ignored.
//
// # Leases and orders
//
// The leases are the scores of a sorted set, by the clock of Redis. Scripts renew one, bury
// those that are over, and say so at the same place in the stream. After the clock of Redis
// has jumped, nobody is buried at once. A Redis that has lost the leases gets them again as
// the nodes join, and for the time of a lease none is forgotten because it is missing.
//
// The number of the last order that takes access away is a key. Nodes tell each other the
// last one that they have heard, so losing the key loses nothing.
//
// # Connections
//
// A link has a client of its own, with one connection that hears and one that sends. It is
// made anew whenever something is wrong, so the node finds the master, or the shards, as
// they are now. Close ends its connections at once, also those to a server that hangs.
//
// A link has one goroutine besides those of the library; both end with Close. Of chatcast's
// packages it may import broadcasting and broadcasting/cluster.
package redis

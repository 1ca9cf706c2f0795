// Package history keeps the events of apps' channels that are to be kept, so that clients
// and backends can read what they have missed.
//
//	Keep   adds events to the store, many callers in one commit, and returns; each has its number
//	  |
//	wake   of this node at once, of other nodes by the store's notification
//	  |
//	tail   each node reads the store by number and gives the events to its subscribers
//
// So the events of a channel come in the order of their numbers on every node, and no event
// is known to a subscriber that cannot be read again. A lost notification costs time, never
// an event: each node also looks by itself. The sweep removes events that were kept long
// enough, and the oldest ones of an app that has too many.
//
// Events of cache channels are kept too, but published as always: the broker keeps the last
// one of each.
//
// # Goroutines and locks
//
// Keeper.Run reads and sweeps until its context ends. Keep starts a goroutine that commits
// what waits, and ends when nothing does. No lock is held across a call of the store.
//
// Of chatcast's packages it may import only broadcasting and channels. The program that
// wires it implements Store.
package history

// Package cluster is a node of a cluster: it implements broadcasting.Broker, Presence and
// Control over a Transport, which carries messages between the nodes and keeps their leases.
// broadcasting/postgres and broadcasting/redis are transports.
//
// # Messages
//
// A Node sends everything to all nodes and hears it itself. What waits while one batch is
// sent goes with the next one, so a node never sends more than one at a time, however much
// is published. A transport may lose messages, but it never changes the order of what one
// node reports, and says where something is missing:
//
//	Publish, reports, orders --queue--> one batch at a time --Transport--> every node
//
// # Leases
//
// Who is a node, what it has, and when that is dropped, is decided by broadcasting.Peers and
// broadcasting.Lease. Node gives them what it hears, and sends what they say.
//
// Each node has a lease, which it renews every second and which lasts for six, by the clock
// of the transport. A node whose lease is over is buried: a node that has renewed its own
// all the time says so, and everyone forgets the dead node, once. Nothing else has to be
// cleaned up after it: what it has reported is only in the memory of the others.
//
// When its connection breaks, a node joins again under a new name and sends everything that
// it has reported; the others answer with theirs. A node that was buried, or does not hear
// its own messages for three seconds, does the same. Of a node that has missed something,
// the others' states are asked for.
//
// Orders that take access away are numbered. A node that finds, when it joins again or by
// what others say, that it has missed one has its sockets disconnected.
//
// # Goroutines and locks
//
// Node.run starts one goroutine that sends and renews, and while it is connected one that
// hears; both end before the Run methods return. Each order of another node has a
// goroutine. The place of the sender (Node.turn) is taken before Node.mu. While Node.mu is held
// only those methods of the peers are called that call nothing back: not Heard, Joined, Listed
// and Lost.
//
// Of chatcast's packages it may import only broadcasting.
package cluster

// Package postgres connects nodes through PostgreSQL: it implements broadcasting.Broker,
// Presence and Control with LISTEN and NOTIFY. The nodes need nothing but the database.
//
// # One stream
//
// A Node sends everything as notifications of one channel and hears them on a
// connection of its own, which does nothing else. PostgreSQL queues notifications in the
// order of the commits, so all nodes hear the same messages in the same order, their own
// among them, and miss none while the connection lasts:
//
//	Publish, reports, orders --queue--> one transaction at a time --NOTIFY--> every node
//
// What waits while a transaction commits goes with the next one, so a node never sends
// more than one at a time, however much is published. The commits do not wait for the
// disk: PostgreSQL holds a lock of the whole instance while a transaction that notifies
// commits. Only orders that take access away wait for it. A message that is too long
// for a notification is sent as several ones of one transaction.
//
// # Leases
//
// Each node has a row in bus_nodes, which it renews every second and which lasts for six,
// by the clock of the database. A node whose row is over is buried: a node that has
// renewed its own row all the time deletes it and says so in the same transaction, so
// everyone forgets the dead node at the same place in the stream, once. It also ends the
// backend that listens for the dead node, which may be alive and hanging: otherwise its
// unread notifications would stay in the queue.
//
// When its connection breaks, a node joins again under a new name and sends everything
// that it has reported; the others answer with theirs. A node that was buried, or does
// not hear its own messages for three seconds, does the same. From the number of the last
// order that it has heard, it knows whether it has missed one that takes access away.
// Then it has its sockets disconnected.
//
// # Goroutines and locks
//
// Node.run starts one goroutine that sends and renews, and while it is connected one
// that hears; both end before the Run methods return. Each order of another node has a
// goroutine. The place of the sender (Node.turn) is taken before Node.mu, and nothing is
// called while Node.mu is held.
//
// Of chatcast's packages it may import only broadcasting. The tables are made by the
// migrations of models.
package postgres

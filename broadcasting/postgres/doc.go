// Package postgres connects nodes through PostgreSQL: it is a transport of cluster.Node that
// works with LISTEN and NOTIFY. The nodes need nothing but the database.
//
// # One stream
//
// A node sends everything as notifications of one channel and hears them on a connection of
// its own, which does nothing else. PostgreSQL queues notifications in the order of the
// commits, so all nodes hear the same messages in the same order, their own among them, and
// miss none while the connection lasts.
//
// A batch is one transaction. The commits do not wait for the disk: PostgreSQL holds a lock
// of the whole instance while a transaction that notifies commits. Only orders that take
// access away wait for it. A message that is too long for a notification is sent as several
// ones of one transaction.
//
// # Leases
//
// Each node has a row in bus_nodes. The transaction that deletes the row of a dead node also
// says so, so everyone forgets the dead node at the same place in the stream. It also ends
// the backend that listens for the dead node, which may be alive and hanging: otherwise its
// unread notifications would stay in the queue. A transaction that a node leaves alone is
// ended by the database, so nobody waits long for its locks.
//
// Of chatcast's packages it may import broadcasting and broadcasting/cluster. The tables are
// made by the migrations of models.
package postgres

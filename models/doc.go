// Package models owns the database: the rows, the migrations that make their
// tables, the queries, and the transaction they run in, on SQLite and on
// PostgreSQL alike.
//
// Queries are methods of Tx, in a file for each noun. No row is an outside shape
// and no query is a rule: what may be done, and what is told of it, is crm's.
//
// # Lifecycle
//
// Open connects, Store.Migrate brings the tables to this version, Store.Lock
// keeps a second process away, Store.Close ends it all and gives the lock back.
// Store.LeadJournal is for the relay: while it runs on PostgreSQL, a connection
// of its own listens, with one goroutine that ends before it returns. The package
// starts no other; what the drivers start ends with Close.
//
// gorm and pgx are imported here and in testdb alone. Nothing of ours may be.
package models

// Package models owns the database: the rows, the migrations that make their
// tables, the queries, and the transaction they run in, on SQLite and on
// PostgreSQL alike.
//
// Queries are methods of Tx, in a file for each noun. Rows are not wire formats, and
// queries are not rules: crm decides what may be done and which events it causes.
//
// # Lifecycle
//
// Open connects, Store.Migrate brings the tables to this version, Store.Lock keeps a
// second process away, and Store.Close closes everything and releases the lock.
// Store.LeadJournal is for the relay: on PostgreSQL it listens on a connection of its
// own, with one goroutine that ends before it returns. The package starts no other
// goroutine; those of the drivers end with Close.
//
// Only this package and testdb import gorm and pgx. Of ours, package models imports
// only its part seal, which encrypts secrets.
package models

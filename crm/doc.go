// Package crm owns the rules, which determine what happens when a customer writes or
// an operator acts, and the catalogue of events with the JSON shape of each.
//
// Every rule is a method of Service. It authorises the actor on the object, changes
// rows and appends the events in one transaction (see Service.change), and wakes the
// relay after the commit. A change that changes nothing causes no event.
//
// Methods return *Error for errors that the caller can fix; any other error is
// internal.
//
// The program must run OnlineTracker.Run and RunSweeper, RunCutOffs, RunAudit and
// RunIndexer of Service in one goroutine each; their ctx ends them. RunIndexer starts two
// goroutines, which end with it; the package starts no other.
//
// Inbound messages are applied by one path, in the files inbound*.go. It has two
// entries: Ingest, for a connector with an account of its own, and IngestAs, for
// the program of a bridge, which posts as a user. Each message or change to send to
// such an account waits in the outbox, as a row of the same transaction as the action,
// until its connector has sent it.
//
// The package knows no HTTP, no socket and no messenger's library. The outside is
// reached through a Messenger, implemented by the connectors in the subfolders. The
// bytes of attachments lie in a FileStore: Folder, or a store of a subfolder. Of this
// module's packages it may import broadcasting, channels and models.
package crm

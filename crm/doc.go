// Package crm owns the rules: what happens when a customer writes or an operator
// acts, and the catalogue of the events that say so, with the one JSON shape of
// each.
//
// Every rule is a method of Service. It authorises on the object, changes rows
// and appends the events in one transaction (see Service.change), and wakes the
// relay after the commit. A change that changes nothing causes no event.
//
// Methods return *Error for what the caller can mend; any other error is ours.
//
// The package starts no goroutine of its own. OnlineTracker.Run and
// Service.RunSweeper want one each from whoever wires the program; ctx ends them.
//
// Inbound messages are applied by one path, in the files inbound*.go. It has two
// entries: Ingest, for a connector with an account of its own, and IngestAs, for
// the program of a bridge, which posts as a user. What goes out to such an account
// waits in the outbox, a row of the same transaction as the action, until its
// connector has sent it.
//
// It knows no HTTP, no socket and no messenger's library: a way to the outside is
// a Messenger, implemented by the connectors in the subfolders. Where the bytes of
// attachments lie is a FileStore: Folder, or a store of a subfolder. Of ours it may import
// broadcasting, channels and models.
package crm

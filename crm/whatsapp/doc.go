// Package whatsapp connects the CRM to WhatsApp. It implements crm.Messenger with one
// whatsmeow client for each paired line of type grWhatsApp. Only this package and its
// part content, which translates messages, use whatsmeow. Its part media reads files. The
// parts do no I/O.
//
//	socket -> whatsmeow -> handle (events.go) -> content.Translate -> InboundBatch -> crm.Ingest -> commit -> true -> ack
//	crm's outbox -> sender (sender.go) -> build (outgoing_message.go) -> whatsmeow -> crm.OutboxDone
//	crm's files to fetch -> fetcher (media_fetch.go) -> whatsmeow -> crm.FileFetched
//
// Every acknowledged message is committed. whatsmeow acknowledges after the handler
// returned true (SynchronousAck), and keeps the decrypted message until then
// (EnableDecryptedEventBuffer), because a ratchet's key decrypts a message only once.
// While our database is unavailable, the handler waits, then closes the connection:
// WhatsApp delivers messages without an acknowledgement again. A second copy changes
// nothing (crm.Ingest).
//
// Two processes must not use one session: WhatsApp would disconnect them in turn. So
// only the process that holds a line's lease in the database serves the line. The processes
// divide the lines among them (node.go, spread.go), and hand on to each other what needs the
// connection of a line (elsewhere.go).
//
// Goroutines: Run's loop takes over lines and gives them away; beside it one renews the leases,
// and one fails what was not sent in time. Unless the process is alone, one listens to the others,
// one takes their calls, each of which has its own while it runs, and one hands on which pictures
// are wanted. Each served line has one goroutine that runs its connections, one
// that sends, one that tells of labels, one that fetches files and one that rates it. They end before Run returns,
// and so do the short ones of handlers. whatsmeow's own goroutines end with the connection.
//
// whatsmeow keeps its keys in tables of its own (whatsmeow_*) in our database, through
// a pool of its own. No handler runs inside one of whatsmeow's transactions, and no code
// here calls whatsmeow inside one of ours, so the two cannot deadlock. With Options.Keys
// the secrets among them are sealed (container.go, sealed_stores.go).
package whatsapp

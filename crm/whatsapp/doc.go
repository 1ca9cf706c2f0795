// Package whatsapp is WhatsApp behind the CRM: a crm.Messenger with one whatsmeow
// client for each paired line of type grWhatsApp. whatsmeow is confined here.
// The part content translates messages, without I/O.
//
//	socket -> whatsmeow -> handle (events.go) -> content.Translate -> InboundBatch -> crm.Ingest -> commit -> true -> ack
//	crm's outbox -> sender (sender.go) -> build (outgoing_message.go) -> whatsmeow -> crm.OutboxDone
//	crm's files to fetch -> fetcher (media_fetch.go) -> whatsmeow -> crm.FileFetched
//
// What is acknowledged is committed. whatsmeow acknowledges after the handler
// returned true (SynchronousAck), and keeps what it decrypted until then
// (EnableDecryptedEventBuffer), because a ratchet's key opens a message only once.
// While our database is unavailable, the handler waits, then closes the connection:
// WhatsApp delivers again what was not acknowledged. A second copy changes nothing
// (crm.Ingest).
//
// Two processes must not hold one session: WhatsApp would throw them out in turn.
// So a line is served by who holds its lease in the database.
//
// Goroutines: Run's loop tends the lines; each served line has one that lives
// through its connections, one that sends and one that fetches files. They end
// before Run returns. whatsmeow has its own, which end with the connection.
//
// whatsmeow keeps its keys in tables of its own (whatsmeow_*) in our database,
// through a pool of its own: no handler runs inside a transaction of whatsmeow's,
// and nothing here calls whatsmeow inside one of ours, so neither waits for the
// other while it holds what the other wants.
package whatsapp

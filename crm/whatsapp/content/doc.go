// Package content translates messages of WhatsApp to contents of the CRM. It is a
// part of package whatsapp, which decrypts the messages and fetches their files.
//
// It is pure: it does no I/O, starts no goroutine and keeps no state. Of ours it
// may import crm alone; of whatsmeow it uses the protobufs and the names of the
// kinds of media.
package content

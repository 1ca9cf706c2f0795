// Package content translates WhatsApp messages to contents of the CRM. It is a part of
// package whatsapp, which decrypts the messages and fetches their files.
//
// It does no I/O, starts no goroutine and keeps no state. Of our packages it may import
// only crm. Of whatsmeow it uses the protobufs and the names of the kinds of media.
package content

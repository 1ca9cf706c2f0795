// Package shape renders the events and messages of the CRM in the words of Evolution API:
// its envelope, its event names, its message object. It is a part of package evolution.
//
// There are three shapes: that of version 2, that of version 1, and that of l2msg, which is
// version 2 with times of messages as strings. Render makes what one event of the CRM is in
// one of them: nothing, one Emit or several, in the order in which clients expect them.
// Object renders a message of the store for an answer over HTTP, by the same code.
//
// Everything is a function of its arguments: there is no I/O, no lock, no goroutine and no
// state, so Render may run under a lock of the hub. It parses an event once, and writes JSON
// without reflection. Of our packages it may import only crm and server, which writes strings.
//
// Ids of people and chats are JIDs: phone numbers end in @s.whatsapp.net. Where the phone
// number of a person is known, their LID is only in the members that end in Alt. The id of a
// message is its key.id everywhere.
package shape

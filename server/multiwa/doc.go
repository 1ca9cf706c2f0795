// Package multiwa speaks the protocol of MultiWA: a raw WebSocket on which programs get the
// events of their WhatsApp accounts, the same in a namespace of Socket.IO (Visit), webhooks
// (Hooks), and a REST API (API) under /api/v1 and /api. Its profiles are the instances of the
// rules, its keys theirs. The transport of Socket.IO and the delivery of webhooks are not here.
//
// The wire of the socket is in frames.go, close codes in codes.go, the names of events in
// names.go. What an event of the CRM means is in render.go and render_message.go, which are
// pure: all sockets with the same list of events share one frame. The server package reads
// and writes the sockets, and broadcasting.Engine delivers events to them and replays those
// that were missed. This package starts no goroutine, and has one lock, around the number of
// sockets of each key.
//
// Of this module the package may import server, crm, broadcasting and channels.
package multiwa

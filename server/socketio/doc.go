// Package socketio serves clients of Socket.IO, with protocol 5 over Engine.IO 4: over
// WebSockets, over polling, and with the upgrade from one to the other. It knows neither
// the CRM nor the words of a dialect: Rooms decides who may enter a namespace, and an
// Encoder turns events into what clients of the namespace get.
//
// # Layers
//
// The routes and the checks of a handshake are in handshake.go and register.go. A conn is
// an Engine.IO session (conn.go); it outlives the change of its transport (upgrade.go),
// which is a server.Session or a server.HTTPSession. packets.go is the wire format of
// Engine.IO, parser.go and frames.go that of Socket.IO. sockets are the namespaces of one
// conn (sockets.go, connect.go). Each of them is a broadcasting.Peer (namespace.go), whose
// Dialect is the same value for all that get the same bytes (dialect.go): an event is
// encoded once for them. recovery.go lets clients go on where they were cut off, and
// subscriptions.go lets them enter channels later.
//
// # Goroutines and locks
//
// The package starts one goroutine for each conn while handlers of its events run; it ends
// before the handler of the transport is told that the conn is closed, so before
// server.Server.Run returns. Two timers, one for all conns each, close those that stay
// silent after the handshake, and upgrades that are not finished.
//
// Locks are taken in this order: conn.in, then the engine's, namespace.mu, link.mu, and
// last those of the server's sessions. conn.mu, sockets.mu, worker.mu and those of
// deadlines are held for a moment only, with no other lock taken meanwhile.
//
// Of this module the package may import server, broadcasting and channels.
package socketio

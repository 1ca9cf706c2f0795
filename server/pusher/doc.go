// Package pusher is the Pusher protocol, version 7: its sockets (Server), the
// endpoint that lets them into channels (Authorizer) and the HTTP API by which
// backends publish (HTTPAPI). Sockets come as WebSockets or, where those do not get
// through, over HTTP (xhr.go).
//
// The wire stands in frames.go, every error and close code in codes.go, the
// signatures in sign.go. Sockets are read and written by the server package, and
// events find them through broadcasting.Engine; this package starts no goroutine.
// Of ours it may import server, broadcasting and channels, never crm.
package pusher

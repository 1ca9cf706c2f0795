// Package pusher is the Pusher protocol, version 7: its sockets (Server), the
// endpoints that let them into channels and sign them in (Authorizer) and the HTTP
// API by which backends publish (HTTPAPI). Sockets come as WebSockets or, where those
// do not get through, over HTTP (xhr.go).
//
// The wire stands in frames.go, every error and close code in codes.go, the
// signatures in sign.go, the routes of the HTTP API in httpapi.go. Sockets are read and written by the server package, and
// events find them through broadcasting.Engine; this package starts no goroutine.
// One timer ends the sockets that prove no user in time (auth_deadlines.go); it stops with
// the last of them. Of ours the package may import server, broadcasting and channels,
// never crm.
package pusher

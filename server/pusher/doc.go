// Package pusher implements the Pusher protocol, version 7: its sockets (Server), the
// endpoints that let them into channels and sign them in (Authorizer) and the HTTP API
// with which backends publish (HTTPAPI). Sockets are WebSockets or, where those do not
// get through, sessions over HTTP (xhr.go).
//
// The wire format is in frames.go, every error and close code in codes.go, the
// signatures in sign.go, the routes of the HTTP API in httpapi.go. The server package
// reads and writes the sockets, and broadcasting.Engine delivers events to them; this
// package starts no goroutine. One timer ends the sockets that prove no user in time
// (auth_deadlines.go); it stops with the last of them. Of this module the package may
// import server, broadcasting and channels, never crm.
package pusher

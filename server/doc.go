// Package server owns the sockets: it upgrades them, reads them, writes them, notices
// when they fall silent, and closes them so that the other side knows why. The meaning
// of the messages belongs to a dialect, an adapter in a subfolder that implements
// Handler.
//
// # Goroutines
//
// Server.Run starts one writer for each core and one keepalive loop. Each socket has
// one small goroutine that reads (see reader.go, the only place that knows this) and,
// while its peer is slow or its connection is TLS, one that writes. All of them end
// before Run returns. A session over HTTP (HTTPSession) has no goroutine: it is written
// by the goroutine that net/http gives its receiving request, and read by those of its
// sending requests; while it closes, one goroutine waits for its client to fetch the
// close message. Monitor.Run samples the node's counters on a goroutine of its
// caller's.
//
// # Writing
//
// Frames are queued with Session.Queue, which never blocks. A writer takes the sessions
// that have frames waiting, joins the frames of each and hands them to the kernel
// without blocking. What the kernel does not take is left to a goroutine of that
// session, which ends when the peer has caught up. A session whose queue is full is
// closed as SlowConsumer; no other session waits for it.
//
// # Sessions over HTTP
//
// A client that cannot open a WebSocket is served over HTTP requests;
// HTTPSessions.Receive documents the guarantees. For the keepalive loop, the limits,
// the drain and the counters such a session is a socket like any other, and it has the
// same queue of the same frames (conn_base.go, queue.go); the writers do not know about
// it. An HTTPCodec defines the contents of its responses and request bodies; SockJS is
// one.
//
// Of this module the package may import broadcasting and channels; gin and gorilla are
// used only here and in the adapters.
package server

// Package server owns the sockets: it upgrades them, reads them, writes them,
// notices when they fall silent, and closes them so that the other side knows
// why. What is said on them is a dialect's matter, an adapter in a subfolder that
// implements Handler.
//
// # Goroutines
//
// Server.Run starts one writer for each core and one keepalive loop. Each socket has one
// small goroutine that reads (see reader.go, the only place that knows this), and
// while its peer is slow or its connection is TLS, one that writes. All of them
// end before Run returns. A session over HTTP (HTTPSession) has none: it is written by
// the goroutine that net/http gives its receiving request, and read by those of its
// sending ones; while it says goodbye, one goroutine waits for its client to come
// for that. Monitor.Run samples the node's counters; whoever wires
// the program gives it a goroutine.
//
// # Writing
//
// Frames are queued with Session.Queue, which never blocks. A writer takes the
// sessions that have something waiting, joins what waits for each and hands it to
// the kernel without blocking. What the kernel does not take is left to a
// goroutine of that session's own, which goes away when the peer has caught up. A
// session whose queue is full is cut, by name; nobody else waits for it.
//
// # Sessions over HTTP
//
// A client that gets no WebSocket is carried by requests: what is guaranteed stands at
// HTTPSessions.Receive. To the keepalive loop, the limits, the drain and the figures such
// a session is a socket like any other, and it has the same queue of the same frames
// (conn_base.go, queue.go); the writers know nothing of it. What stands in its answers
// and bodies is an HTTPCodec's matter, and SockJS is one.
//
// Of ours the package may import broadcasting and channels; gin and gorilla live
// here and in the adapters alone.
package server

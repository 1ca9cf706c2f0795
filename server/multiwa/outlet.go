package multiwa

import (
	"chatcast/broadcasting"
	"chatcast/server"
)

// transport takes a socket's frames to the client.
type transport interface {
	broadcasting.MarkedQueue
	broadcasting.PacedQueue
	Close(server.Disconnect)
	Remote() string
}

var _ transport = (*server.Session)(nil)

// welcome stands for the answer to a subscription, which differs for each request. It is
// never sent.
var welcome = []byte("welcome")

// outlet is the engine's way to a socket. In the place of welcome it queues the answer to
// the request that is being handled, so that the answer comes before the first event.
type outlet struct {
	transport
	answer []byte // owned by the socket's reader, in whose calls alone the engine queues welcome
}

// Queue implements broadcasting.Queue.
func (o *outlet) Queue(frame []byte) { o.QueueMarked(frame, nil) }

// QueueMarked implements broadcasting.MarkedQueue.
func (o *outlet) QueueMarked(frame []byte, mark *broadcasting.Mark) {
	switch {
	case len(frame) == 0: // a frame that this dialect does not have
	case &frame[0] == &welcome[0]:
		o.transport.Queue(o.answer)
	default:
		o.transport.QueueMarked(frame, mark)
	}
}

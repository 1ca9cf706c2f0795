package socketio

import (
	"context"
	"strconv"
	"sync"

	"chatcast/server"
)

// background is the context of log lines that belong to no request.
var background = context.Background()

// sockets are the namespaces that one conn has entered.
type sockets struct {
	// static
	c    *conn
	ctx  context.Context // ends with the conn
	stop context.CancelFunc
	late *deadline // for the first namespace
	work worker

	pending *pendingBinary // waits for its attachments; guarded by conn.in
	refused int            // namespaces; guarded by conn.in

	mu     sync.Mutex
	joined map[string]*namespace // guarded by mu; changed with conn.in held, too
}

var _ upper = (*sockets)(nil)

// pendingBinary is a packet whose attachments are not complete.
type pendingBinary struct {
	packet
	data [][]byte
	size int
}

func newSockets(c *conn) *sockets {
	k := &sockets{c: c}
	k.ctx, k.stop = context.WithCancel(background)
	k.work.failed = func(p any, stack string) {
		c.srv.opt.Log.Error("a handler of an event panicked", "socket", c.id, "panic", p, "stack", stack)
		c.close(server.Internal)
	}
	k.late = c.srv.connects.add(func() { c.close(noNamespace) })
	return k
}

// Text implements upper.
func (k *sockets) Text(text []byte) {
	p, err := parsePacket(text)
	switch {
	case err != nil, k.pending != nil: // attachments come right behind their packet
		k.c.close(server.ProtocolError)
	case p.attachments > 0:
		k.pending = &pendingBinary{packet: p}
	default:
		k.handle(p, nil)
	}
}

// Binary implements upper.
func (k *sockets) Binary(data []byte) {
	p := k.pending
	if p == nil {
		k.c.close(server.ProtocolError)
		return
	}
	if p.size += len(data); p.size > k.c.srv.opt.MaxPayload {
		k.pending = nil
		k.c.close(server.TooLarge)
		return
	}
	p.data = append(p.data, append([]byte(nil), data...))
	if len(p.data) == p.attachments {
		k.pending = nil
		k.handle(p.packet, p.data)
	}
}

// handle handles a packet that is complete.
func (k *sockets) handle(p packet, attachments [][]byte) {
	switch p.kind {
	case typeConnect:
		k.connect(p)
	case typeDisconnect:
		if n := k.find(p.namespace); n != nil {
			k.drop(n)
		}
	case typeEvent, typeBinaryEvent:
		k.event(p, attachments)
	default: // acknowledgements: nothing waits for one
		k.c.srv.counters.ignored()
	}
}

// event passes an event to the handler of its namespace. Handlers run one after the other,
// and not in the goroutine that reads: they may take long.
func (k *sockets) event(p packet, attachments [][]byte) {
	n := k.find(p.namespace)
	if n == nil || n.entry.On == nil {
		k.c.srv.counters.ignored()
		return
	}
	size := len(p.event)
	for _, v := range p.values {
		size += len(v)
	}
	for _, a := range attachments {
		size += len(a)
	}
	waits := k.work.do(size, k.c.srv.opt, func() {
		acknowledge := func(reply Args) {
			if p.ack != "" {
				n.send(argsFrames(n.prefix, p.ack, reply.Values, reply.Attachments))
				p.ack = ""
			}
		}
		acknowledge(n.entry.On(k.ctx, n.socket, Call{Event: p.event, Args: Args{Values: p.values, Attachments: attachments}, Acknowledge: acknowledge}))
	})
	if !waits {
		k.c.close(server.Flood)
	}
}

// find returns a namespace that the client is in; nil: it is not.
func (k *sockets) find(name string) *namespace {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.joined[name]
	if n == nil || n.gone.Load() {
		return nil
	}
	return n
}

// add notes that the client is in a namespace.
func (k *sockets) add(n *namespace) {
	k.mu.Lock()
	before := k.joined[n.name]
	if k.joined == nil {
		k.joined = map[string]*namespace{}
	}
	k.joined[n.name] = n
	k.mu.Unlock()
	if before != nil { // it was lost before
		before.end()
	}
	k.c.srv.connects.remove(k.late)
	k.c.srv.counters.entered()
}

// drop takes the client out of a namespace.
func (k *sockets) drop(n *namespace) {
	k.mu.Lock()
	delete(k.joined, n.name)
	k.mu.Unlock()
	n.end()
}

// namespaces returns how many the client is in.
func (k *sockets) namespaces() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.joined)
}

// Closed implements upper.
func (k *sockets) Closed() {
	k.c.srv.connects.remove(k.late)
	k.stop()
	k.work.close()
	k.mu.Lock()
	all := k.joined
	k.joined = nil
	k.mu.Unlock()
	for _, n := range all {
		n.end()
	}
}

// About implements upper.
func (k *sockets) About() (user string, namespaces int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.joined {
		if n.entry.UserID != 0 {
			user = strconv.FormatInt(n.entry.UserID, 10)
		}
	}
	return user, len(k.joined)
}

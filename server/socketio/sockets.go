package socketio

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"chatcast/server"
)

// background is the context of log lines that belong to no request.
var background = context.Background()

// sockets are the namespaces that one conn has entered.
type sockets struct {
	c *conn // static

	// guarded by conn.in
	late    *deadline      // for the first namespace; nil: it is in one
	work    *worker        // nil: it has sent no event that is handled
	pending *pendingBinary // waits for its attachments
	refused int            // namespaces

	mu sync.Mutex
	// guarded by mu
	joined []*namespace // all but retire change it with conn.in held, too
	lost   []*namespace // those that are to be ended

	life   atomic.Pointer[life] // nil: nothing is going on; stored with mu held
	ending atomic.Bool
}

// life is a context that ends when the conn begins to end, as long as somebody needs it: an
// idle conn has none.
type life struct {
	ctx   context.Context
	stop  context.CancelFunc
	users int // guarded by sockets.mu
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
	k.late = c.srv.connects.add(func() { // c does not have k yet
		k.Ending()
		c.out.close(disconnect(noNamespace))
	})
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
	if n == nil || n.on == nil {
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
	if k.work == nil {
		k.work = &worker{failed: k.c.failed}
	}
	waits := k.work.do(size, k.c.srv.opt, func() {
		ctx, done := k.begin()
		defer done()
		acknowledge := func(reply Args) {
			if p.ack != "" {
				n.send(argsFrames(n.prefix, p.ack, reply.Values, reply.Attachments))
				p.ack = ""
			}
		}
		acknowledge(n.on(ctx, &n.socket, Call{Event: p.event, Args: Args{Values: p.values, Attachments: attachments}, Acknowledge: acknowledge}))
	})
	if !waits {
		k.c.close(server.Flood)
	}
}

// find returns a namespace that the client is in; nil: it is not.
func (k *sockets) find(name string) *namespace {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.at(name); i >= 0 && !k.joined[i].gone.Load() {
		return k.joined[i]
	}
	return nil
}

// at returns the place of a namespace, or -1; needs mu. There are few of them.
func (k *sockets) at(name string) int {
	return slices.IndexFunc(k.joined, func(n *namespace) bool { return n.name == name })
}

// begin returns a context that ends when the conn begins to. The caller calls done in the end.
func (k *sockets) begin() (ctx context.Context, done func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.life.Load()
	if l == nil {
		l = new(life)
		l.ctx, l.stop = context.WithCancel(background)
		k.life.Store(l)
	}
	if l.users++; k.ending.Load() { // looked at after life is stored: Ending does it the other way round
		l.stop()
	}
	return l.ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			l.stop()
			k.life.Store(nil)
		}
	}
}

// add notes that the client is in a namespace.
func (k *sockets) add(n *namespace) {
	k.mu.Lock()
	var before *namespace
	if i := k.at(n.name); i >= 0 {
		before, k.joined[i] = k.joined[i], n
	} else {
		k.joined = append(k.joined, n)
	}
	k.mu.Unlock()
	if before != nil { // it was lost before
		before.end()
	}
	k.c.srv.connects.remove(k.late)
	k.late = nil
	k.c.srv.counters.entered()
}

// drop takes the client out of a namespace.
func (k *sockets) drop(n *namespace) {
	k.mu.Lock()
	k.joined = slices.DeleteFunc(k.joined, func(o *namespace) bool { return o == n })
	k.mu.Unlock()
	n.end()
}

// retire takes a namespace out that the client may no longer be in. Who calls it may hold locks
// of the engine, so that it is ended later.
func (k *sockets) retire(n *namespace) {
	k.mu.Lock()
	if i := slices.Index(k.joined, n); i >= 0 {
		k.joined = slices.Delete(k.joined, i, i+1)
		k.lost = append(k.lost, n)
	}
	k.mu.Unlock()
	n.leave()
}

// endLost ends what was retired.
func (k *sockets) endLost() {
	k.mu.Lock()
	lost := k.lost
	k.lost = nil
	k.mu.Unlock()
	for _, n := range lost {
		n.end()
	}
}

// namespaces returns how many the client is in.
func (k *sockets) namespaces() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.joined)
}

// Ending implements upper.
func (k *sockets) Ending() {
	k.ending.Store(true)
	if l := k.life.Load(); l != nil {
		l.stop()
	}
}

// Closed implements upper.
func (k *sockets) Closed() {
	k.c.srv.connects.remove(k.late)
	k.Ending()
	if k.work != nil {
		k.work.close()
	}
	k.mu.Lock()
	all := slices.Concat(k.joined, k.lost)
	k.joined, k.lost = nil, nil
	k.mu.Unlock()
	for _, n := range all {
		n.end()
	}
}

// About implements upper.
func (k *sockets) About() (user string, namespaces int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range slices.Concat(k.lost, k.joined) {
		if n.userID != 0 {
			user = strconv.FormatInt(n.userID, 10)
		}
	}
	return user, len(k.joined)
}

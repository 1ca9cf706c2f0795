package socketio

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// namespace is one that a client is in: a socket for the engine.
type namespace struct {
	// static
	of     *sockets
	name   string // as the client has sent it
	prefix string
	userID int64                                     // of its Entry, as on
	on     func(context.Context, *Socket, Call) Args // nil: what the client sends is ignored
	conn   *broadcasting.Conn                        // nil: the engine does not know it
	id     string                                    // of conn
	owner  broadcasting.Owner                        // of conn: the user of the key
	placed string                                    // the channel whose events carry their places; "": none
	socket Socket

	begun func() // of the subscription that is being made; owned by the handlers of events

	open  atomic.Bool // answered, for a look without mu
	gone  atomic.Bool // nothing more is sent
	left  sync.Once   // it counts no longer
	ended sync.Once

	mu       sync.Mutex
	answered bool // the client knows that it is in; guarded by mu
}

var (
	_ broadcasting.MarkedQueue = (*namespace)(nil)
	_ broadcasting.PacedQueue  = (*namespace)(nil)
)

// newNamespace returns a namespace. The caller must end it.
func newNamespace(k *sockets, name string, e *Entry) *namespace {
	n := &namespace{of: k, name: name, prefix: prefixOf(name), userID: e.UserID, on: e.On}
	if n.prefix != "" {
		n.name = n.prefix[:len(name)]
	}
	n.socket.n = n
	return n
}

// attach makes n a socket of the engine, which belongs to the user of the key: what ends
// the user's access ends it from now on. So the access is asked for once more. It returns the
// channels that n is to be in.
func (n *namespace) attach(ctx context.Context, e *Entry, begin start) (names []channels.Name, err error) {
	srv := n.of.c.srv
	all := e.Live
	if e.Channel != "" {
		all = slices.Concat([]string{e.Channel}, e.Live)
	}
	for _, full := range all {
		name, err := channels.Parse(full)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	if e.UserID == 0 && len(all) == 0 {
		return nil, nil
	}
	n.id = "io-" + randomName(20)
	if begin.pid != "" {
		n.placed = e.Channel
	}
	if n.conn, err = srv.opt.Engine.Connect(broadcasting.Peer{
		App: srv.opt.App, ID: n.id, Out: n, Disconnect: n.disconnect,
		Dialect: n.dialect(e, begin), Unremembered: true,
	}); err != nil || e.UserID == 0 {
		return names, err
	}
	n.owner = broadcasting.Owner{UserID: strconv.FormatInt(e.UserID, 10), Session: e.Session, Until: e.Until}
	_, err = srv.opt.Engine.Identify(ctx, srv.opt.App, n.id, n.owner)
	for _, name := range names {
		if err == nil {
			_, err = srv.opt.Engine.Grant(ctx, srv.opt.App, n.id, n.owner, name.Full, "")
		}
	}
	if err == nil && e.Confirm != nil {
		err = e.Confirm(ctx)
	}
	return names, err
}

func (n *namespace) dialect(e *Entry, begin start) dialect {
	d := dialect{srv: n.of.c.srv, encoder: e.Encoder, prefix: n.prefix, offsets: begin.pid != ""}
	if begin.place.emits > 0 {
		d.from = begin.place
	}
	return d
}

// disconnect implements broadcasting.Peer.
func (n *namespace) disconnect(cause broadcasting.DisconnectCause) {
	if cause == broadcasting.CutOff {
		n.of.c.close(cutOff) // the client may come back, and show its key again
		return
	}
	n.lose()
	n.conn.Close()
}

// answer tells the client that it is in.
func (n *namespace) answer(frame []byte) {
	n.mu.Lock()
	n.of.c.out.Queue(frame)
	n.answered = true
	n.open.Store(true)
	lost := n.gone.Load()
	if lost {
		n.of.c.out.Queue(leftFrame(n.prefix))
	}
	n.mu.Unlock()
	if lost {
		n.of.retire(n)
	}
}

// lose tells the client that it may no longer be in. It does not come back by itself. The
// engine may hold its locks.
func (n *namespace) lose() {
	n.mu.Lock()
	told := !n.gone.Swap(true) && n.answered
	if told {
		n.of.c.out.Queue(leftFrame(n.prefix))
	}
	n.mu.Unlock()
	if told {
		n.of.retire(n)
	}
}

// leave lets n count no longer.
func (n *namespace) leave() {
	n.left.Do(func() {
		n.of.c.srv.leave(n.userID)
		if n.isAnswered() {
			n.of.c.srv.counters.left()
		}
	})
}

// end lets nothing more go to the client, and nothing come from the engine.
func (n *namespace) end() {
	n.ended.Do(func() {
		n.gone.Store(true)
		if n.conn != nil {
			n.conn.Close()
		}
		n.leave()
	})
}

func (n *namespace) isAnswered() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.answered
}

// send queues frames that are not of the engine.
func (n *namespace) send(frames []byte) {
	if !n.gone.Load() {
		n.of.c.out.Queue(frames)
	}
}

// Queue implements broadcasting.Queue.
func (n *namespace) Queue(frames []byte) { n.QueueMarked(frames, nil) }

// QueueMarked implements broadcasting.MarkedQueue.
func (n *namespace) QueueMarked(frames []byte, mark *broadcasting.Mark) {
	switch {
	case len(frames) == 0, n.gone.Load():
	case isMark(frames, accessLost):
		n.lose()
	case isMark(frames, resumeFailed): // it was kept a moment ago
		n.of.c.close(behind)
	case isMark(frames, begun):
		if n.begun != nil {
			n.begun()
		}
	case !n.open.Load() && !n.isAnswered(): // the client does not know yet that it is in
	default:
		n.of.c.out.QueueMarked(frames, mark)
	}
}

// Room implements broadcasting.PacedQueue.
func (n *namespace) Room(f func()) bool { return n.of.c.out.Room(f) }

// QueueIfRoom implements broadcasting.PacedQueue.
func (n *namespace) QueueIfRoom(frames []byte) bool {
	return n.gone.Load() || n.of.c.out.QueueIfRoom(frames)
}

// Socket is a client in a namespace. It is safe for concurrent use.
type Socket struct{ n *namespace }

// Emit sends an event to this client alone. It does nothing when the client has left.
func (s *Socket) Emit(event string, a Args) {
	values := append([]json.RawMessage{json.RawMessage(quoted(event))}, a.Values...)
	s.n.send(argsFrames(s.n.prefix, "", values, a.Attachments))
}

// ID returns the name of the client's connection in the log.
func (s *Socket) ID() string { return s.n.of.c.id }

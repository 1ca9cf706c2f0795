package whatsapptest

import (
	"time"
)

// Faults on command. Faults of an account apply to its linked clients.

// faults is guarded by the server's mu.
type faults struct {
	refusal *refusal
	sends   []sendFault
	before  int // messages to deliver before the connection is cut
	cutting ending
	copies  int
}

// sendFault is a fault applied to one message that a client sends.
type sendFault struct {
	how  sendHow
	code int
}

type sendHow int

const (
	refuseSend    sendHow = iota + 1 // an ack with a code
	loseAck                          // delivered, never acknowledged
	cutBefore                        // the connection is cut, the message lost
	cutAfterwards                    // delivered, and the connection cut in place of the ack
)

func (f *faults) onSend() sendFault {
	if len(f.sends) == 0 {
		return sendFault{}
	}
	next := f.sends[0]
	f.sends = f.sends[1:]
	return next
}

// onDelivery returns what happens to the connection at the next message to a
// client.
func (f *faults) onDelivery() ending {
	if f.cutting == goOn {
		return goOn
	}
	if f.before > 0 {
		f.before--
		return goOn
	}
	e := f.cutting
	f.cutting = goOn
	return e
}

func (f *faults) onCopies(n node) int {
	if f.copies == 0 || n.Tag != "message" {
		return 0
	}
	f.copies--
	return 1
}

// FailSends makes the next sends fail with a code in the ack: 463 (reach-out lock),
// 479, 403 and others.
func (a *Account) FailSends(code, times int) { a.onSends(sendFault{refuseSend, code}, times) }

// LoseAcks delivers the next sends and never acknowledges them.
func (a *Account) LoseAcks(times int) { a.onSends(sendFault{how: loseAck}, times) }

// CutOnSend cuts the connection at the next sends: after delivering the message, in
// place of the ack, if delivered is true, and before accepting the message
// otherwise.
func (a *Account) CutOnSend(delivered bool, times int) {
	f := sendFault{how: cutBefore}
	if delivered {
		f.how = cutAfterwards
	}
	a.onSends(f, times)
}

func (a *Account) onSends(f sendFault, times int) {
	defer a.srv.lock()()
	for range times {
		a.faults.sends = append(a.faults.sends, f)
	}
}

// CutOnDelivery delivers the given number of whole messages to the client and cuts
// the connection at the next one: in the middle of its frame, or right behind it.
func (a *Account) CutOnDelivery(after int, middle bool) {
	defer a.srv.lock()()
	a.faults.before, a.faults.cutting = after, cutAfter
	if middle {
		a.faults.cutting = halfWay
	}
}

// Duplicate delivers each of the next messages twice.
func (a *Account) Duplicate(messages int) {
	defer a.srv.lock()()
	a.faults.copies = messages
}

// Drop cuts the connections of the account's clients.
func (a *Account) Drop() {
	defer a.srv.lock()()
	a.drop()
}

// DropUnpaired cuts the connections of all clients that are not linked.
func (s *Server) DropUnpaired() {
	defer s.lock()()
	for c := range s.conns {
		if c.device == nil {
			c.cut()
		}
	}
}

func (a *Account) drop() {
	for _, d := range a.linked() {
		if d.conn != nil {
			d.conn.cut()
			d.away()
		}
	}
}

// Forget drops what waits for the account's clients, which never learn of it.
func (a *Account) Forget() {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		d.queue = nil
	}
}

// Hold keeps queued stanzas from the clients until Release.
func (a *Account) Hold() {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		d.held = true
	}
}

// Release sends what Hold has kept, in order, or last to first if backwards is
// true.
func (a *Account) Release(backwards bool) {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		if !d.held {
			continue
		}
		d.held = false
		for i := range d.queue {
			st := d.queue[i]
			if backwards {
				st = d.queue[len(d.queue)-1-i]
			}
			if d.active {
				d.deliver(st.node, 1)
			}
		}
	}
}

// Replace ends the clients' streams as WhatsApp does when another client has taken
// the session.
func (a *Account) Replace() {
	a.endStreams(streamError("", node{Tag: "conflict", Attrs: attrs{"type": "replaced"}}))
}

// StreamError ends the clients' streams with a code. 503 means that the server
// restarts.
func (a *Account) StreamError(code string) { a.endStreams(streamError(code)) }

func (a *Account) endStreams(n node) {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		if d.conn != nil {
			d.conn.end(n)
			d.away()
		}
	}
}

// Ban refuses the account's logins for d and ends its streams.
func (a *Account) Ban(code int, d time.Duration) {
	a.refuse(&refusal{402, attrs{"code": code, "expire": int(d.Seconds())}})
}

// Outdated refuses the clients as outdated.
func (a *Account) Outdated() { a.refuse(&refusal{405, nil}) }

// Refuse refuses logins with any of WhatsApp's reasons.
func (a *Account) Refuse(reason int) { a.refuse(&refusal{reason, nil}) }

// Pardon ends Ban, Outdated and Refuse.
func (a *Account) Pardon() { a.refuse(nil) }

func (a *Account) refuse(r *refusal) {
	defer a.srv.lock()()
	a.faults.refusal = r
	if r != nil {
		a.drop()
	}
}

// Refuse turns new connections away, also those for media, until it is called with
// false. Open connections stay.
func (s *Server) Refuse(on bool) {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	s.listener.shut = on
}

// Unavailable answers WebSocket upgrades with 503 until it is called with false.
func (s *Server) Unavailable(on bool) {
	defer s.lock()()
	s.unavailable = on
}

// Slow delays every node to a client by d.
func (s *Server) Slow(d time.Duration) {
	defer s.lock()()
	s.latency = d
}

// Mute leaves the requests of these kinds (their xmlns, such as usync) without an answer.
func (s *Server) Mute(kinds ...string) {
	defer s.lock()()
	s.muted = kinds
}

// RefuseRequests answers the requests of a kind with an error code, or with 0 again as usual.
func (s *Server) RefuseRequests(kind string, code int) {
	defer s.lock()()
	if s.refused == nil {
		s.refused = map[string]int{}
	}
	s.refused[kind] = code
}

// Requests returns how many requests of a kind came from clients, whatever their answers: an xmlns,
// or usync and the first thing that it asks for, such as "usync disappearing_mode".
func (s *Server) Requests(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[kind]
}

// Terse answers which numbers have WhatsApp without repeating them, until it is called
// with false.
func (s *Server) Terse(on bool) {
	defer s.lock()()
	s.terse = on
}

// Freeze keeps connections open but sends nothing, not even answers to pings, until
// it is called with false.
func (s *Server) Freeze(on bool) {
	defer s.lock()()
	s.frozen = on
	for c := range s.conns {
		c.ring()
	}
}

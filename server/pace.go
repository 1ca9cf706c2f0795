package server

import "time"

// Pacer is a Handler that bounds how fast its messages are read. What a client sends
// beyond that is not lost: it waits in the network, until the client cannot send more.
type Pacer interface {
	Handler
	// Pause returns how long the next message must wait, at most a second or so; 0: not
	// at all. It is called after each message, by the goroutine that called Message.
	Pause() time.Duration
}

// reassureTime is well below the 30 s that clients wait for a pong.
const reassureTime = 10 * time.Second

// pace waits until the next message of m may be handled. Whoever has sent messages that
// wait is alive, even if none of its bytes is read meanwhile. Its own ping may wait behind
// them, so it is pinged every reassureTime: any frame tells it that the server is there. A
// pong that it did not ask for could be taken for the answer. pace reports whether it
// pinged.
func (m *connBase) pace(h Handler) (pinged bool) {
	p, ok := h.(Pacer)
	if !ok {
		return false
	}
	pause := p.Pause()
	if pause <= 0 {
		m.heldSince = 0
		return false
	}
	if m.isClosing() {
		return false
	}
	now := m.srv.now()
	switch {
	case m.heldSince == 0:
		m.heldSince = now
	case now-m.heldSince >= reassureTime.Milliseconds():
		m.heldSince, pinged = now, true
		h.Idle()
	}
	time.Sleep(pause)
	m.heard()
	return pinged
}

func (m *connBase) isClosing() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.closing
}

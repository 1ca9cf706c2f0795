package server

import "chatcast/broadcasting"

// What the parts of a queue are for: a replay begins when at most a quarter is taken, and
// goes on up to a half. The rest is for events that come meanwhile.
const (
	nearlyEmpty = 4
	halfFull    = 2
)

var (
	_ broadcasting.PacedQueue = (*Session)(nil)
	_ broadcasting.PacedQueue = (*HTTPSession)(nil)
)

// Room implements broadcasting.PacedQueue.
func (m *connBase) Room(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out.closing {
		return false
	}
	if m.hasRoom() {
		return true
	}
	m.onRoom = append(m.onRoom, f)
	return false
}

// hasRoom reports whether the queue is nearly empty, and takes the frame that it refused
// last: a replay that is called before could only be refused again. It needs mu.
func (m *connBase) hasRoom() bool {
	limit := m.srv.limits().QueueBytes
	if m.out.bytes > limit/nearlyEmpty || m.out.bytes > 0 && m.out.bytes+m.refused > limit/halfFull {
		return false
	}
	m.refused = 0
	return true
}

// QueueIfRoom implements broadcasting.PacedQueue.
func (m *connBase) QueueIfRoom(frame []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out.closing {
		return false
	}
	if m.out.full(frame, m.srv.limits().QueueBytes/halfFull) {
		m.refused = max(m.refused, len(frame))
		return false
	}
	m.push(frame)
	return true
}

// wroteBytes makes room: n bytes of the frames taken have been written. The caller holds mu.
func (m *connBase) wroteBytes(n int) {
	m.out.written(n)
	if len(m.onRoom) == 0 || !m.hasRoom() {
		return
	}
	waiting := m.onRoom
	m.onRoom = nil
	for _, f := range waiting {
		f()
	}
}

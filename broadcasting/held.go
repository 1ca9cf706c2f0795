package broadcasting

import (
	"errors"
	"slices"
)

// ErrBehind is what Subscribe returns when more was published to a channel than is
// kept for a subscriber while it is brought up to date.
var ErrBehind = errors.New("broadcasting: too much was published while the subscription was made")

// heldBytes is how much is kept for a subscriber that is brought up to date.
const heldBytes = 1 << 20

// held stands in a channel in the place of a subscriber that is brought up to date,
// and keeps what is published meanwhile. Then it stays, and leaves out the kept
// events that the subscriber has and that are still on their way to this node, until
// the last of them has passed. Its methods need the channel's mu.
type held struct {
	s      *subscription
	frames []heldFrame
	bytes  int
	over   bool   // more came than is kept
	live   bool   // the subscriber is up to date
	upTo   uint64 // the version that the subscriber has of the kept events; 0: none
}

type heldFrame struct {
	frame   []byte
	version uint64 // of a kept event
}

var _ Queue = (*held)(nil)

// hold has what is published kept for s from now on; needs ch.mu.
func (s *subscription) hold() {
	h := &held{s: s}
	if s.held != nil {
		h.upTo = s.held.upTo
	}
	s.held = h
	s.ch.groups[s.group].out[s.at] = h
}

// holding says whether s is being brought up to date; needs ch.mu.
func (s *subscription) holding() bool { return s.held != nil && !s.held.live }

// Queue implements Queue. It is called by channel.fanOut.
func (h *held) Queue(frame []byte) {
	telling := h.s.ch.telling
	switch {
	case h.live:
		h.pass(frame, telling.version)
	case telling.member || h.over:
		// The answer to the subscriber lists all members.
	case h.bytes+len(frame) > heldBytes:
		h.frames, h.over = nil, true
	default:
		h.bytes += len(frame)
		h.frames = append(h.frames, heldFrame{frame, telling.version})
	}
}

// pass hands a frame on unless the subscriber has it. Kept events come in the order
// of their versions, so the first that is new ends the need to look.
func (h *held) pass(frame []byte, version uint64) {
	if version == 0 || version > h.upTo {
		h.s.conn.peer.Out.Queue(frame)
	}
	if version >= h.upTo {
		h.end()
	}
}

// kept says whether a kept event that the subscriber does not have is among the
// frames.
func (h *held) kept() bool {
	return slices.ContainsFunc(h.frames, func(f heldFrame) bool { return f.version > h.upTo })
}

// release queues what was held, but for the kept events up to the version that the
// subscriber has, and lets it go live.
func (h *held) release() {
	for _, f := range h.frames {
		if f.version == 0 || f.version > h.upTo {
			h.s.conn.peer.Out.Queue(f.frame)
		}
	}
	h.frames, h.live = nil, true
	if h.upTo <= h.s.ch.version {
		h.end()
	}
}

// end puts the subscriber in its place.
func (h *held) end() {
	s := h.s
	s.ch.groups[s.group].out[s.at] = s.conn.peer.Out
	s.held = nil
}

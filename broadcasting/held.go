package broadcasting

import (
	"errors"
	"slices"
)

// ErrBehind is returned by Subscribe when more was published to a channel than is held
// for a subscriber while it is brought up to date.
var ErrBehind = errors.New("broadcasting: too much was published while the subscription was made")

// heldBytes limits what is held for a subscriber while it is brought up to date.
const heldBytes = 1 << 20

// held takes the place of a subscriber in its channel while the subscriber is brought
// up to date, and holds what is published meanwhile. Then it stays, and drops the kept
// events that the subscriber began with and that are still on their way to this node,
// until the last of them has passed. Its methods need the channel's mu.
type held struct {
	s      *subscription
	again  bool   // the subscriber was live before, and gets every event
	since  uint64 // the version of the last kept event before, as far as this node knew
	frames []heldFrame
	bytes  int
	over   bool // more than heldBytes came

	live   bool   // the subscriber is up to date
	passed uint64 // the version of the last kept event since then
}

type heldFrame struct {
	frame   []byte
	event   bool
	member  bool
	version uint64 // of a kept event
}

var _ Queue = (*held)(nil)

// hold starts to hold what is published for s; needs ch.mu.
func (s *subscription) hold(again bool) {
	s.held = &held{s: s, again: again, since: max(s.ch.version, s.has)}
	s.ch.groups[s.group].out[s.at] = s.held
}

// holding reports whether s is being brought up to date; needs ch.mu.
func (s *subscription) holding() bool { return s.held != nil && !s.held.live }

// Queue implements Queue. It is called by channel.fanOut.
func (h *held) Queue(frame []byte) {
	telling := h.s.ch.telling
	switch {
	case h.live:
		h.pass(frame, telling.version)
	case telling.member && !h.again || h.over:
		// The answer to a new subscriber lists all members.
	case h.bytes+len(frame) > heldBytes:
		h.frames, h.over = nil, true
	default:
		h.bytes += len(frame)
		h.frames = append(h.frames, heldFrame{frame, telling.event, telling.member, telling.version})
	}
}

// pass queues a frame unless the subscriber has it. Kept events come in the order of
// their versions, so the first new one ends the check. So does one that is out of
// order, because it does not tell what the subscriber has.
func (h *held) pass(frame []byte, version uint64) {
	has := h.s.has
	disorder := version > 0 && version <= h.passed
	if version == 0 || version > has || disorder {
		h.s.conn.peer.Out.Queue(frame)
	}
	h.passed = max(h.passed, version)
	if version >= has || disorder {
		h.end()
	}
}

// begin queues the last event of the channel for a new subscriber. A subscriber that
// was live before gets it again only if it had it: a later event is held, or on its
// way. missed reports whether the subscriber was told that there is no event.
func (h *held) begin(last LastEvent) (missed bool) {
	peer := &h.s.conn.peer
	h.frames = slices.DeleteFunc(h.frames, func(f heldFrame) bool { return f.member }) // the answer lists them
	kept := slices.ContainsFunc(h.frames, func(f heldFrame) bool { return f.version > 0 })
	switch {
	case last.Version > 0 && (!h.again || last.Version <= h.since):
		peer.Out.Queue(h.s.dialect.Event(last.Event))
		h.s.conn.engine.delivered.Add(1)
	case last.Version == 0 && !kept:
		peer.Out.Queue(h.s.dialect.CacheMissed(h.s.ch.key.name))
		missed = true
	}
	if last.Version > 0 && !h.again {
		h.s.has = last.Version
		h.forget(last.Version)
	}
	return missed
}

// forget drops the events up to the one with the version, with which the subscriber
// begins instead.
func (h *held) forget(version uint64) {
	upTo := -1
	for i, f := range h.frames {
		if f.version > 0 && f.version <= version {
			upTo = i
		}
	}
	i := -1
	h.frames = slices.DeleteFunc(h.frames, func(f heldFrame) bool {
		i++
		return f.event && i <= upTo
	})
}

// release queues what was held and makes the subscriber live.
func (h *held) release() {
	for _, f := range h.frames {
		h.s.conn.peer.Out.Queue(f.frame)
		h.passed = max(h.passed, f.version)
	}
	h.frames, h.live = nil, true
	if h.s.has <= h.s.ch.version {
		h.end()
	}
}

// end puts the subscriber's own queue back in its place.
func (h *held) end() {
	s := h.s
	s.ch.groups[s.group].out[s.at] = s.conn.peer.Out
	s.held = nil
}

package broadcasting

import (
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"chatcast/channels"
)

// shards is the number of parts of the channel registry. There are enough of them that
// sockets that come and go on different channels seldom meet.
const shards = 64

// key names a channel of an app.
type key struct{ app, name string }

// hub holds the channels of this node that have subscribers.
type hub struct {
	interest func(app, channel string, interested bool) // the Broker's
	seed     maphash.Seed
	shards   [shards]shard
}

type shard struct {
	mu       sync.RWMutex
	channels map[key]*channel // guarded by mu
	most     int              // see drop; guarded by mu
}

func newHub(interest func(app, channel string, interested bool)) *hub {
	h := &hub{interest: interest, seed: maphash.MakeSeed()}
	for i := range h.shards {
		h.shards[i].channels = map[key]*channel{}
	}
	return h
}

func (h *hub) shard(k key) *shard {
	return &h.shards[maphash.String(h.seed, k.name)%shards]
}

// find returns the channel, or nil when it has no subscribers.
func (h *hub) find(k key) *channel {
	s := h.shard(k)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.channels[k]
}

// enter returns the channel, locked and not closed. It creates the channel, whose name
// is n, if it does not exist. A caller that leaves no subscriber in it must unlock it
// with unlock.
func (h *hub) enter(k key, n channels.Name) *channel {
	s := h.shard(k)
	for {
		s.mu.Lock()
		ch := s.channels[k]
		if ch == nil {
			ch = &channel{key: k, kind: n.Kind, cache: n.Cache}
			s.channels[k] = ch
			h.interest(k.app, k.name, true)
		}
		s.mu.Unlock()
		ch.mu.Lock()
		if !ch.closed {
			return ch
		}
		// Its last subscriber left between the two locks.
		ch.mu.Unlock()
		h.remove(ch)
	}
}

// unlock unlocks a channel, and closes and removes it when it is empty.
func (h *hub) unlock(ch *channel) {
	empty := ch.closeIfEmpty()
	ch.mu.Unlock()
	if empty {
		h.remove(ch)
	}
}

// remove takes a closed channel out of the registry.
func (h *hub) remove(ch *channel) {
	s := h.shard(ch.key)
	s.mu.Lock()
	if s.channels[ch.key] == ch {
		drop(&s.channels, &s.most, ch.key)
		h.interest(ch.key.app, ch.key.name, false)
	}
	s.mu.Unlock()
}

// count returns the number of channels with subscribers.
func (h *hub) count() (n int) {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		n += len(s.channels)
		s.mu.RUnlock()
	}
	return n
}

// all returns the channels that have subscribers now.
func (h *hub) all() (list []*channel) {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		list = slices.AppendSeq(list, maps.Values(s.channels))
		s.mu.RUnlock()
	}
	return list
}

// channel holds the subscribers of one channel on this node.
type channel struct {
	// static
	key   key
	kind  channels.Kind
	cache bool // its last event is kept

	mu sync.Mutex
	// guarded by mu
	closed      bool // empty and on its way out of the registry: not to be entered
	counting    bool // its subscribers are told their number
	stale       bool // the last change of their number was not told yet: a round will tell it
	changedHere bool // one of the changes not told yet was on this node
	missed      bool // CacheMissed was recorded since its last event
	groups      []group
	roster      *roster // nil on channels without presence
	telling     telling // the kind of the frame that is being queued
	version     uint64  // of the last kept event that this node got since the channel exists
}

// telling describes the frame that fanOut queues, for subscribers whose frames are
// held; see held and replay. The zero value is a frame of no kind.
type telling struct {
	member  bool   // a member has come or gone
	event   bool   // a published event
	version uint64 // of a kept event
	seq     int64  // of a numbered event

	next   []byte  // see replay.next
	nextOf Dialect // its dialect

	mark *Mark // as in Event
}

// subscription is one socket in one channel.
type subscription struct {
	conn   *Conn
	ch     *channel
	member *Member // on a presence channel; set once
	user   string  // the user, by Grant; guarded by conn.mu

	dialect Dialect // changed with conn.mu and ch.mu held, read with one of them

	// guarded by ch.mu
	group, at int    // its place: ch.groups[group].subs[at]
	has       uint64 // the version of the kept event that it began with
	held      *held  // in its place in the channel; usually nil

	resumed *replay // in its place in the channel, if it has resumed; set once
}

// closeIfEmpty needs mu.
func (ch *channel) closeIfEmpty() bool {
	if ch.subscribers() > 0 {
		return false
	}
	ch.closed = true
	return true
}

// subscribers returns how many sockets are subscribed; needs mu.
func (ch *channel) subscribers() (n int) {
	for i := range ch.groups {
		n += len(ch.groups[i].subs)
	}
	return n
}

// has reports whether s is in ch; needs mu.
func (ch *channel) has(s *subscription) bool {
	if s == nil || s.ch != ch {
		return false
	}
	subs := ch.groups[s.group].subs
	return s.at < len(subs) && subs[s.at] == s
}

// tell queues ev for every subscriber except one (nil: none); needs mu.
func (ch *channel) tell(ev Event, version uint64, except *subscription) (delivered int) {
	if !ch.has(except) {
		except = nil // it has left, or its channel was removed and created again
	}
	ch.telling = telling{event: true, version: version, seq: ev.Seq, mark: ev.Mark}
	delivered = ch.fanOut(except, func(d Dialect) []byte { return d.Event(ev) })
	ch.telling = telling{}
	return delivered
}

// tellMembers tells every subscriber that a member has come or gone; needs mu.
func (ch *channel) tellMembers(encode func(Dialect) []byte) {
	ch.telling.member = true
	ch.fanOut(nil, encode)
	ch.telling = telling{}
}

// fanOut encodes a frame for each dialect, queues it for every subscriber except one
// (nil: none), and returns how many got it; needs mu. The last subscriber is the one that
// is measured: the others have the frame before it.
func (ch *channel) fanOut(except *subscription, encode func(Dialect) []byte) (delivered int) {
	for i := range ch.groups {
		g := &ch.groups[i]
		skip := -1
		if except != nil && except.group == i {
			skip = except.at
		}
		if len(g.out) == 0 || len(g.out) == 1 && skip == 0 {
			continue
		}
		frame, last := encode(g.dialect), len(g.out)-1
		if len(frame) == 0 { // this dialect does not tell of it
			continue
		}
		if last == skip {
			last--
		}
		for j, out := range g.out[:last] {
			if j != skip {
				out.Queue(frame)
				delivered++
			}
		}
		queueMarked(g.out[last], frame, ch.telling.mark)
		delivered++
	}
	return delivered
}

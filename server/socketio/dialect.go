package socketio

import (
	"runtime/debug"
	"strconv"

	"chatcast/broadcasting"
	"chatcast/server"
)

// dialect encodes the events of a channel for a namespace. All that have the same value
// share the frames.
type dialect struct {
	srv     *Server
	encoder Encoder
	prefix  string
	offsets bool  // each event carries its place
	from    place // of a client that was cut off within the emits of one event
	later   bool  // the channel was entered with Socket.Subscribe
}

var _ broadcasting.Dialect = dialect{}

// Marks are what a dialect says to a namespace rather than to its client. They are known by
// their address.
var (
	accessLost   = []byte("access lost")
	resumeFailed = []byte("resume failed")
)

func isMark(frame, mark []byte) bool { return len(frame) > 0 && &frame[0] == &mark[0] }

// Event implements broadcasting.Dialect. The client remembers the last offset that it got:
// the number of the event, and, before the last emit of the event, how many it got.
func (d dialect) Event(ev broadcasting.Event) (frames []byte) {
	if d.encoder == nil {
		return nil
	}
	defer func() { // one event that cannot be encoded must not end the server
		if p := recover(); p != nil {
			d.srv.opt.Log.Error("an event could not be encoded", "event", ev.Name, "seq", ev.Seq, "panic", p, "stack", string(debug.Stack()))
			frames = nil
		}
	}()
	emits := d.encoder.Emits(ev)
	size := 0
	for i := range emits {
		size += server.HeaderRoom + len(d.prefix) + len(emits[i].Name) + len(emits[i].Data) + 40
	}
	frames = make([]byte, 0, size)
	for i, e := range emits {
		if ev.Seq > 0 && ev.Seq == d.from.seq && i < d.from.emits {
			continue
		}
		offset := ""
		if d.offsets && ev.Seq > 0 {
			offset = place{ev.Seq, (i + 1) % len(emits)}.String()
		}
		frames = appendEvent(frames, d.prefix, e.Name, e.Data, offset)
	}
	return frames
}

// Subscribed implements broadcasting.Dialect.
func (d dialect) Subscribed(string, []*broadcasting.Member) []byte {
	if d.later {
		return begun
	}
	return nil
}

// Unsubscribed implements broadcasting.Dialect.
func (d dialect) Unsubscribed(channel string) []byte {
	if t, ok := d.encoder.(Teller); ok {
		return d.plain(t.Lost(channel))
	}
	return accessLost
}

// ResumeFailed implements broadcasting.Dialect. A client whose connection is recovered comes
// back, and learns then that it begins anew.
func (d dialect) ResumeFailed(channel string, oldest, last int64) []byte {
	if t, ok := d.encoder.(Teller); ok && d.later && !d.offsets {
		return d.plain(t.Missed(channel, oldest, last))
	}
	return resumeFailed
}

// Position implements broadcasting.Dialect.
func (d dialect) Position(channel string, seq int64) []byte {
	if t, ok := d.encoder.(Teller); ok && d.later {
		return d.plain(t.Resumed(channel, seq))
	}
	return nil
}

// plain returns the frames of emits that are no event of the channel.
func (d dialect) plain(emits []Emit) (frames []byte) {
	for _, e := range emits {
		frames = appendEvent(frames, d.prefix, e.Name, e.Data, "")
	}
	return frames
}

// The methods below say nothing: the protocol has no words for it.
func (dialect) MemberAdded(string, *broadcasting.Member) []byte { return nil }
func (dialect) MemberRemoved(string, string) []byte             { return nil }
func (dialect) SubscriptionCount(string, int) []byte            { return nil }
func (dialect) CacheMissed(string) []byte                       { return nil }
func (dialect) Next(string, int64) []byte                       { return nil }
func (dialect) SignedIn(string) []byte                          { return nil }
func (dialect) WatchlistEvents(bool, []string) []byte           { return nil }

// place is where a client is: it has all events up to seq or, if emits is not 0, all before
// seq and so many of what seq has become.
type place struct {
	seq   int64
	emits int
}

func (p place) String() string {
	if p.emits == 0 {
		return strconv.FormatInt(p.seq, 10)
	}
	return strconv.FormatInt(p.seq, 10) + "." + strconv.Itoa(p.emits)
}

// after returns the number after which events are missed.
func (p place) after() int64 {
	if p.emits > 0 {
		return p.seq - 1
	}
	return p.seq
}

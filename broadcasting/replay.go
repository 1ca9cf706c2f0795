package broadcasting

import (
	"time"
)

const (
	replayReaders = 4        // reads of the history at a time, on this node
	replayPage    = 500      // entries of one read
	replayHeld    = 64 << 10 // bytes that are held for a subscriber during a read

	replayTimeout = 30 * time.Second // for one question to the history
)

// PacedQueue is a Queue that a replay fills only in part. Queues without these methods
// are filled at once.
type PacedQueue interface {
	Queue
	// Room reports whether the queue is nearly empty. If it is not, it calls f once, as
	// soon as it is, unless the socket ends before. f must neither block nor call the queue.
	Room(f func()) bool
	// QueueIfRoom queues a frame if that leaves room for other frames, and reports whether
	// it did. An empty queue takes every frame.
	QueueIfRoom(frame []byte) bool
}

// replay takes the place of a subscriber in its channel and brings it up to date from
// the history:
//
//	enter    under the channel's lock: queue the answer, and the position if the subscriber
//	         begins there. From here on, numbered events are dropped, because the history
//	         has them
//	read     under no lock: a page of the history, while numbered events are held
//	advance  under the channel's lock: queue as much of the page as the socket has room
//	         for. After the last page, queue what was held, and the position if it was not
//	         told before, and go live
//
// Read and advance are repeated until the subscriber is live. So no event is left out or
// comes twice, no publisher waits, and nothing has to be kept for a subscriber however
// long it takes. Numbers never go back for the subscriber, also later: a relay that takes
// over may publish the last ones again. What has no number passes at once.
type replay struct {
	// static
	s        *subscription
	reader   string
	begins   bool // it was told its position when it entered
	history  History
	ofApp    bool   // of an app: each event has its number in a frame before it
	previous string // the client's socket before this one; empty: not known

	// guarded by ch.mu
	has     int64 // the number of the last event that the subscriber has
	live    bool  // it is up to date
	reading bool  // numbered events are held
	lost    bool  // the history could not be continued somewhere
	known   bool  // a read has shown that the history reaches has
	over    bool  // more than replayHeld came during the read
	held    []numberedFrame

	announced int64 // the number that the last frame of Dialect.Next had, of a replay
	bytes     int

	failures backoff

	alone bool // it shares no read; changed only while it is not due

	at dueAt // guarded by replays.mu
}

type numberedFrame struct {
	seq    int64
	next   []byte // comes before it; nil: nothing does
	frame  []byte
	except string // the socket that does not get it; empty: none
}

var _ MarkedQueue = (*replay)(nil)

// replay starts to bring s up to date; needs conn.mu and ch.mu.
func (s *subscription) replay(want SubscribeRequest) {
	r := &replay{s: s, reader: s.conn.owner.UserID, has: want.After, begins: want.Begin, previous: want.Previous}
	if r.history, r.ofApp = s.conn.engine.replays.of(s.ch.key); r.ofApp {
		r.reader = "app " + s.ch.key.app // all of its sockets take one turn, as anybody can open many
	}
	s.resumed, s.ch.groups[s.group].out[s.at] = r, r
	s.welcome()
	if r.begins {
		s.conn.peer.Out.Queue(s.dialect.Position(s.ch.key.name, r.has))
	}
	s.conn.engine.replays.add(r)
}

// Queue implements Queue. It is called by channel.fanOut.
func (r *replay) Queue(frame []byte) { r.QueueMarked(frame, nil) }

// QueueMarked implements MarkedQueue.
func (r *replay) QueueMarked(frame []byte, mark *Mark) {
	seq := r.s.ch.telling.seq
	switch {
	case seq == 0:
		queueMarked(r.s.conn.peer.Out, frame, mark)
	case r.live:
		if seq > r.has {
			r.has = seq
			if r.ofApp {
				r.s.conn.peer.Out.Queue(r.next(seq))
			}
			queueMarked(r.s.conn.peer.Out, frame, mark)
		}
	case !r.reading || r.over: // it will be read
	case r.bytes+len(frame) > replayHeld:
		r.release()
		r.over = true
	default:
		r.bytes += len(frame)
		held := numberedFrame{seq: seq, frame: frame}
		if r.ofApp {
			held.next = r.next(seq)
		}
		r.held = append(r.held, held)
	}
}

// next returns the frame with the number of the event that is being told; needs ch.mu. All
// of the channel who speak one dialect share it.
func (r *replay) next(seq int64) []byte {
	t, d := &r.s.ch.telling, r.s.dialect
	if t.next == nil || t.nextOf != d {
		t.next, t.nextOf = d.Next(r.s.ch.key.name, seq), d
	}
	return t.next
}

// release forgets what is held; needs ch.mu.
func (r *replay) release() { r.held, r.bytes = nil, 0 }

// begin starts to hold numbered events, before a read. It returns false when the
// subscriber has left.
func (r *replay) begin() (has int64, in bool) {
	ch := r.s.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	r.release()
	r.over, r.reading = false, true
	return r.has, ch.has(r.s)
}

// failed notes that a read has failed, and returns how long to wait.
func (r *replay) failed() time.Duration {
	ch := r.s.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	r.release()
	r.reading = false
	return r.failures.longer()
}

// advance queues what was read after a position, encoded as frames of a dialect. It reports whether the
// subscriber was told anything, and whether it is live, or has left.
func (r *replay) advance(m Missed, from int64, d Dialect, frames []numberedFrame) (told, done bool) {
	ch, e, peer := r.s.ch, r.s.conn.engine, &r.s.conn.peer
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.has(r.s) {
		return false, true
	}
	r.reading, r.failures = false, backoff{}
	defer r.release()
	if r.s.dialect != d { // changed meanwhile
		return false, false
	}
	if r.alone = r.has > m.Through && r.has != from; r.alone || m.Lost && r.has != from {
		return false, false // what the others have missed says nothing about this one
	}
	before := r.has
	r.known = true
	if m.Lost {
		peer.Out.Queue(r.s.dialect.ResumeFailed(ch.key.name, m.Oldest, m.Through))
		r.has, r.lost = m.Through, true
		e.replays.lost.Add(1)
	}
	if !r.queue(frames) || m.More {
		return r.has != before, false
	}
	r.has = max(r.has, m.Through)
	if r.over || !r.queue(r.held) {
		return r.has != before, false
	}
	r.live = true
	if !r.begins || r.lost {
		peer.Out.Queue(r.s.dialect.Position(ch.key.name, r.has))
	}
	if !r.lost {
		e.replays.done.Add(1)
	}
	return true, true
}

// queueIfRoom queues a frame at once if the queue is not paced.
func queueIfRoom(out Queue, paced PacedQueue, frame []byte) bool {
	if paced == nil {
		out.Queue(frame)
		return true
	}
	return paced.QueueIfRoom(frame)
}

// queue queues those of the frames that the subscriber does not have, and reports
// whether there was room for all; needs ch.mu.
func (r *replay) queue(frames []numberedFrame) bool {
	e, out := r.s.conn.engine, r.s.conn.peer.Out
	paced, _ := out.(PacedQueue)
	for _, f := range frames {
		switch {
		case f.seq <= r.has:
			continue
		case f.except != "" && (f.except == r.s.conn.peer.ID || f.except == r.previous):
			r.has = f.seq
			continue
		case len(f.frame) == 0: // the dialect has nothing to say about it
			r.has = f.seq
			continue
		case f.next != nil && r.announced != f.seq && !queueIfRoom(out, paced, f.next):
			return false
		}
		r.announced = f.seq // also when there is no room for the event itself
		if !queueIfRoom(out, paced, f.frame) {
			return false
		}
		r.has = f.seq
		e.delivered.Add(1)
		e.replays.replayed.Add(1)
	}
	return true
}

// again lets a subscriber that is live read the history again from where it is; needs
// ch.mu. It reports whether that is due.
func (r *replay) again() bool {
	due := r.live
	r.live = false
	return due
}

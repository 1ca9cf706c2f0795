package webhook

import (
	"maps"
	"sync"
	"time"

	"chatcast/broadcasting"
)

// Bounds of the events in memory that wait to be committed: those of 50 ms when all is
// well.
const (
	intakeEvents = 50_000
	intakeBytes  = 32 << 20
	eventWeight  = 128 // bytes of an event besides its texts
)

// intake records what happens and decides what receivers are told. Its state is what
// they were told. The end of a subject waits for the grace; if the subject returns in
// that time, receivers are told neither.
type intake struct {
	// static
	grace time.Duration

	mu sync.Mutex
	// guarded by mu
	settings  settings
	elsewhere map[string]bool                 // apps that another process reports; this process reports the others
	subjects  map[string]map[Subject]*subject // by app
	events    []broadcasting.ChannelEvent
	bytes     int
	changed   map[Subject]bool // what receivers were told since the last take; true: it is here
	leaving   leaving
	left      uint64     // how many have left so far
	owed      []*subject // receivers were not told for lack of room
	frozen    bool       // ends are left to the next process
	lost      map[string]uint64
	lostNow   int // since the last take
}

// subject is a Subject with its state and what receivers were told of it.
type subject struct {
	Subject
	here      bool
	announced bool
	due       time.Time // when its end is due; zero: it has not left
	seq       uint64    // its place in the order of leaving
	at        bool      // it is in leaving
	owes      bool      // it is in owed
}

func newIntake(grace time.Duration) *intake {
	return &intake{
		grace: grace, elsewhere: map[string]bool{}, subjects: map[string]map[Subject]*subject{},
		changed: map[Subject]bool{}, lost: map[string]uint64{},
	}
}

// record records one channel event. It reports whether there is something to take.
func (in *intake) record(h broadcasting.ChannelEvent, now time.Time) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch h.Kind {
	case broadcasting.Occupied, broadcasting.Vacated:
		return in.moved(Subject{App: h.App, Channel: h.Channel}, h.Kind == broadcasting.Occupied, now)
	case broadcasting.MemberAdded, broadcasting.MemberRemoved:
		return in.moved(Subject{App: h.App, Channel: h.Channel, Member: true, User: h.UserID}, h.Kind == broadcasting.MemberAdded, now)
	}
	if !in.settings.want(h.App, h.Channel, h.Kind) {
		return false
	}
	if !in.add(h) {
		in.lost[h.App]++
		in.lostNow++
	}
	return true
}

// tracked reports whether any endpoint wants the beginning or the end of such a
// subject.
func (in *intake) tracked(s Subject) bool {
	first, last := ends(s)
	return in.settings.want(s.App, s.Channel, first, last)
}

func ends(s Subject) (first, last broadcasting.Kind) {
	if s.Member {
		return broadcasting.MemberAdded, broadcasting.MemberRemoved
	}
	return broadcasting.Occupied, broadcasting.Vacated
}

// moved notes that a subject came or went, and reports whether there may be something
// to take.
func (in *intake) moved(key Subject, here bool, now time.Time) bool {
	if !in.tracked(key) {
		return false
	}
	if in.elsewhere[key.App] {
		in.follow(key, here)
		return false
	}
	s := in.subjects[key.App][key]
	if s == nil {
		// An unknown subject that goes came when no endpoint wanted to be told. Its end
		// is true all the same.
		s = &subject{Subject: key, announced: !here}
		in.keep(s)
	}
	s.here = here
	if here {
		s.due = time.Time{}
		in.settle(s, now)
		return true
	}
	in.leave(s, now.Add(in.grace))
	return true
}

func (in *intake) keep(s *subject) {
	of := in.subjects[s.App]
	if of == nil {
		of = map[Subject]*subject{}
		in.subjects[s.App] = of
	}
	of[s.Subject] = s
}

func (in *intake) drop(s *subject) {
	delete(in.subjects[s.App], s.Subject)
	if len(in.subjects[s.App]) == 0 {
		delete(in.subjects, s.App)
	}
}

// leave schedules the end of s at due, unless s returns. A subject is in the heap once,
// however often it comes and goes.
func (in *intake) leave(s *subject, due time.Time) {
	in.left++
	s.due, s.seq = due, in.left
	if !s.at {
		in.leaving.push(s)
	}
}

// settle adds the event of s that is due now, if any. If there is no room, s is owed.
func (in *intake) settle(s *subject, now time.Time) {
	first, last := ends(s.Subject)
	kind := first
	switch {
	case s.here && !s.announced:
	case !s.here && s.announced && !s.due.IsZero() && !s.due.After(now):
		kind = last
	case !s.here && !s.announced:
		in.drop(s)
		return
	default:
		return
	}
	if !in.add(broadcasting.ChannelEvent{Kind: kind, App: s.App, Channel: s.Channel, UserID: s.User, At: now}) {
		if !s.owes {
			s.owes = true
			in.owed = append(in.owed, s)
		}
		return
	}
	s.announced = s.here
	in.changed[s.Subject] = s.announced
	if !s.here {
		in.drop(s)
	}
}

// add appends an event. It returns false when there is no room.
func (in *intake) add(h broadcasting.ChannelEvent) bool {
	size := eventWeight + len(h.Channel) + len(h.UserID) + len(h.Name) + len(h.Data) + len(h.SocketID)
	if len(in.events) >= intakeEvents || in.bytes+size > intakeBytes {
		return false
	}
	in.events = append(in.events, h)
	in.bytes += size
	return true
}

// taken is what the intake hands over to be committed.
type taken struct {
	events    []broadcasting.ChannelEvent // in order
	announced []Subject
	cleared   []Subject
	lost      int
}

// take returns everything that waits, including the ends that are due. more reports
// whether there is more already.
func (in *intake) take(now time.Time) (t taken, more bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.expire(now)
	t = taken{events: in.events, lost: in.lostNow}
	for s, here := range in.changed {
		if here {
			t.announced = append(t.announced, s)
		} else {
			t.cleared = append(t.cleared, s)
		}
	}
	in.events, in.bytes, in.lostNow = nil, 0, 0
	clear(in.changed)
	owed := in.owed
	in.owed = nil
	for _, s := range owed {
		s.owes = false
		if in.subjects[s.App][s.Subject] == s { // it was not forgotten meanwhile
			in.settle(s, now)
		}
	}
	return t, len(in.events) > 0 || len(in.changed) > 0
}

// expire settles the ends that are due.
func (in *intake) expire(now time.Time) {
	for !in.frozen && len(in.leaving.list) > 0 && !in.leaving.list[0].when.After(now) {
		s := in.leaving.pop()
		switch {
		case in.subjects[s.App][s.Subject] != s || s.here: // forgotten, or it has returned
		case s.due.After(now): // it returned and left again
			in.leaving.push(s)
		default:
			in.settle(s, now)
		}
	}
}

// next returns the time when the next end is due, or false when none is.
func (in *intake) next() (time.Time, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.frozen || len(in.leaving.list) == 0 {
		return time.Time{}, false
	}
	return in.leaving.list[0].when, true
}

// freeze leaves the ends to the next process.
func (in *intake) freeze() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.frozen = true
}

// losses returns how many events of each app found no room so far.
func (in *intake) losses() map[string]uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return maps.Clone(in.lost)
}

package chaos

import (
	"fmt"
	"slices"
	"time"
)

// span is a time from one moment up to another; an empty end is the end of the run.
type span struct{ from, to time.Time }

// certainty is whether the cluster must know that a socket is there.
type certainty uint8

const (
	gone  certainty = iota // no member because of it
	maybe                  // either is right
	sure                   // a member because of it
)

// presenceSocket is a socket of a user in the presence channel.
type presenceSocket struct {
	user   string
	node   int
	asked  time.Time // when it asked to enter
	joined time.Time // when it was told that it is in; zero: never
	left   time.Time // when the client gave it up
	limbo  time.Time // when it became half-open; zero: never
}

// observer is what one socket in the presence channel was told.
type observer struct {
	name    string
	node    int
	from    time.Time
	to      time.Time
	members []string // at the beginning
	changes []memberChange
}

// memberChange is a member_added or member_removed.
type memberChange struct {
	at    time.Time
	user  string
	added bool
}

// disturbance is something that was done to a node, or to all of them (-1).
type disturbance struct {
	node int
	what fault
	span
}

// presenceRun is what happened to a presence channel.
type presenceRun struct {
	sockets      []presenceSocket
	observers    []observer
	disturbances []disturbance
	bound        time.Duration // within which the nodes must know what happened
	keepalive    time.Duration // within which a node notices a half-open socket
}

// at returns whether the nodes must know a socket at a time.
func (r *presenceRun) at(s presenceSocket, t time.Time) certainty {
	end := s.left
	if !s.limbo.IsZero() && s.limbo.Before(end) {
		end = s.limbo
		if !t.Before(end) && t.Before(later(s.left, s.limbo).Add(r.keepalive)) {
			return maybe
		}
	}
	if t.Before(s.asked) || !t.Before(end) {
		return gone
	}
	state := sure
	if s.joined.IsZero() || t.Before(s.joined) {
		state = maybe
	}
	for _, d := range r.disturbances {
		if d.node != s.node && d.node != -1 || t.Before(d.from) || !t.Before(d.to.Add(r.bound)) {
			continue
		}
		switch {
		case d.what == kill && t.Before(d.to):
			return gone
		case d.what == stop && t.Before(d.to):
			state = min(state, gone)
		default:
			state = min(state, maybe)
		}
	}
	return state
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// calm reports whether nothing was done to the node from one time to another, nor so
// shortly before that its consequences are not over.
func (r *presenceRun) calm(node int, from, to time.Time) bool {
	for _, d := range r.disturbances {
		if (d.node == node || d.node == -1) && d.from.Before(to) && d.to.Add(r.bound).After(from) {
			return false
		}
	}
	return true
}

// moments returns the times at which the certainty of a user may change, within a span.
func (r *presenceRun) moments(user string, within span) (list []time.Time) {
	add := func(t time.Time) {
		if t.After(within.from) && t.Before(within.to) {
			list = append(list, t)
		}
	}
	for _, s := range r.sockets {
		if s.user != user {
			continue
		}
		add(s.asked)
		add(s.joined)
		add(s.left)
		if !s.limbo.IsZero() {
			add(s.limbo)
			add(later(s.left, s.limbo).Add(r.keepalive))
		}
	}
	for _, d := range r.disturbances {
		add(d.from)
		add(d.to)
		add(d.to.Add(r.bound))
	}
	list = append(list, within.from, within.to)
	slices.SortFunc(list, time.Time.Compare)
	return list
}

// of returns the certainty of a user at a time.
func (r *presenceRun) of(user string, t time.Time) certainty {
	state := gone
	for _, s := range r.sockets {
		if s.user == user {
			state = max(state, r.at(s, t))
		}
	}
	return state
}

// check returns the broken promises, and the longest time after which a member who had
// gone was no longer shown.
func (r *presenceRun) check() (list []violation, slowest time.Duration) {
	users := map[string]bool{}
	for _, s := range r.sockets {
		users[s.user] = true
	}
	for _, o := range r.observers {
		shown := map[string]time.Time{} // since when
		hidden := map[string]time.Time{}
		for user := range users {
			hidden[user] = o.from
		}
		for _, user := range o.members {
			shown[user] = o.from
			delete(hidden, user)
		}
		judge := func(user string, is bool, within span) {
			v, took := r.judge(o, user, is, within)
			list, slowest = append(list, v...), max(slowest, took)
		}
		for _, c := range o.changes {
			if _, is := shown[c.user]; is == c.added {
				list = append(list, violation{memberTwice, o.name, fmt.Sprintf("%s is added: %v, at %s", c.user, c.added, c.at.Format(clock))})
				continue
			}
			if c.added {
				judge(c.user, false, span{hidden[c.user], c.at})
				shown[c.user] = c.at
				delete(hidden, c.user)
			} else {
				judge(c.user, true, span{shown[c.user], c.at})
				hidden[c.user] = c.at
				delete(shown, c.user)
			}
		}
		for user, since := range shown {
			judge(user, true, span{since, o.to})
		}
		for user, since := range hidden {
			judge(user, false, span{since, o.to})
		}
	}
	return list, slowest
}

const clock = "15:04:05.000"

// judge finds out whether a user was shown for too long after going, or not shown for too
// long while there.
func (r *presenceRun) judge(o observer, user string, shown bool, within span) (list []violation, slowest time.Duration) {
	wrong, kind := sure, missing
	if shown {
		wrong, kind = gone, ghost
	}
	moments := r.moments(user, within)
	var began time.Time
	end := func(at time.Time) {
		if took := at.Sub(began); !began.IsZero() {
			if shown {
				slowest = max(slowest, took)
			}
			if took > r.bound {
				list = append(list, violation{kind, o.name, fmt.Sprintf("%s from %s to %s", user, began.Format(clock), at.Format(clock))})
			}
		}
		began = time.Time{}
	}
	for i := range len(moments) - 1 {
		from, to := moments[i], moments[i+1]
		if r.of(user, from.Add(to.Sub(from)/2)) != wrong || !r.calm(o.node, from, to) {
			end(from)
		} else if began.IsZero() {
			began = from
		}
	}
	end(moments[len(moments)-1])
	return list, slowest
}

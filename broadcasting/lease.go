package broadcasting

import "time"

// Lease is the rule by which a node of a cluster lives and may take others for dead. Each
// node has an entry in a place that all of them share, which it renews every beat and
// which is over after Time, by the clock of that place. A node that finds the entry of
// another one over removes it and tells all of it, in one step with renewing its own.
//
// A Lease is not safe for concurrent use.
type Lease struct {
	Time, Beat time.Duration

	renewed time.Time // when the own entry was last renewed
	steady  time.Time // since when it was always renewed in time, by a clock that did not jump
	clock   time.Time // by the clock of the shared place, when the entry was last renewed
}

// late is how many beats may pass between two renewals.
const late = 2.5

// LeaseJump is how much of a lease the shared clock may jump between two renewals: that part.
const LeaseJump = 3

// Joined notes that this node has a new entry. clock is the time by the shared clock.
func (l *Lease) Joined(now, clock time.Time) { l.renewed, l.steady, l.clock = now, now, clock }

// Renewed notes that the entry of this node was renewed. It returns by how much the shared
// clock has jumped, if that is too much: then the entries of all may be over.
func (l *Lease) Renewed(now, clock time.Time) (jumped time.Duration) {
	if !l.Expects(now, clock) {
		jumped = clock.Sub(l.Clock(now))
	}
	if !l.inTime(now) || jumped != 0 {
		l.steady = now
	}
	l.renewed, l.clock = now, clock
	return jumped
}

// MayBury reports whether this node may take others for dead: it has renewed its own entry
// in time for as long as a lease lasts. After a time in which the shared place did not
// answer all entries are over, and each node must have had the time to renew its own. So it
// is after the shared clock has jumped: while it is not as this node Expects, nobody is buried.
func (l *Lease) MayBury(now time.Time) bool {
	return l.inTime(now) && now.Sub(l.steady) >= l.Time
}

// Over reports whether the entry of this node is over, as far as it knows: the others may
// have forgotten it, and it says nothing until the entry is renewed.
func (l *Lease) Over(now time.Time) bool { return now.Sub(l.renewed) > l.Time }

// Clock returns the time that this node expects by the shared clock.
func (l *Lease) Clock(now time.Time) time.Time { return l.clock.Add(now.Sub(l.renewed)) }

// Expects reports whether the shared clock shows what this node expects.
func (l *Lease) Expects(now, clock time.Time) bool {
	return clock.Sub(l.Clock(now)).Abs() <= l.Time/LeaseJump
}

func (l *Lease) inTime(now time.Time) bool {
	return now.Sub(l.renewed) < time.Duration(late*float64(l.Beat))
}

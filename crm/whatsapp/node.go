package whatsapp

import (
	"context"
	"errors"
	"slices"
	"time"

	"chatcast/crm"
)

// A process holds its lines as long as it beats: it changes its row in the database eight
// times in a lease. Others free the lines of a process whose row they have seen
// unchanged for a whole lease. A process stops its lines when its last beat was begun three
// quarters of a lease ago. Each of them measures by its own clock, which only runs, so
// neither a clock that is set nor a database that stalls lets two processes serve a line.
// The time in which the database did not answer does not count for others: after it, the
// owner comes first.
//
//	         beat     beat     beat  (stalled)
//	owner    |--------|--------|-----------------------| stops its lines
//	others   . . . . . . . . . . .|------------------------------| free them
const (
	beats = 8 // in a lease
	looks = 4 // for lines without a process, in a lease
)

// heldFor is for how long a beat lets the process serve its lines.
func (t times) heldFor() time.Duration { return t.lease * 3 / 4 }

// beat beats until ctx ends.
func (m *Messenger) beat(ctx context.Context) {
	for wait(ctx, m.times.lease/beats) == nil {
		m.beatOnce(ctx)
	}
}

// beatOnce shows the other processes that this one lives, and looks which of them do not.
func (m *Messenger) beatOnce(ctx context.Context) {
	m.mu.Lock()
	leaving := m.ctx == nil
	m.mu.Unlock()
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.times.heldFor())
	defer cancel()
	list, kept, err := m.rules.BeatLines(ctx, m.owner, Type, leaving)
	if err != nil {
		if ctx.Err() != context.Canceled {
			m.Log.Warn("this process could not renew its leases of lines", "error", err)
		}
		return
	}
	m.mu.Lock()
	lapsed := !m.heldUntil.IsZero() && !kept
	m.mu.Unlock()
	if lapsed { // before the lease is renewed, which is not that of these lines
		m.Log.Warn("another process took this one for dead: its lines are released")
		m.stopAll()
	}
	m.mu.Lock()
	m.heldUntil = asked.Add(m.times.heldFor())
	m.watchdog.Reset(time.Until(m.heldUntil))
	m.mu.Unlock()
	if dead := m.nodes.saw(list, m.owner, m.times.lease, time.Now()); len(dead) > 0 {
		select {
		case m.dead <- dead:
		default: // they are seen again with the next beat
		}
	}
}

// freeDead frees the lines of processes that have died, until ctx ends. The beats do not wait
// for it: a process that was stopped in a transaction may hold a lock on a line.
func (m *Messenger) freeDead(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case dead := <-m.dead:
			for _, node := range dead {
				m.free(ctx, node)
			}
		}
	}
}

func (m *Messenger) free(ctx context.Context, dead crm.LineNode) {
	limited, cancel := context.WithTimeout(ctx, takeWithin)
	defer cancel()
	removed, err := m.rules.RemoveLines(limited, dead)
	if err != nil && ctx.Err() == nil {
		m.Log.Warn("the lines of a process that has died could not be freed; it is tried again", "node", dead.Name, "error", err)
	}
	if removed {
		m.Log.Info("a process has died: its lines are taken over", "node", dead.Name)
		notify(m.notify)
	}
}

// lookAround takes over which processes there are, before the next beat does.
func (m *Messenger) lookAround(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, m.times.heldFor())
	defer cancel()
	if list, err := m.rules.LineNodes(ctx, Type); err == nil {
		m.nodes.saw(list, m.owner, m.times.lease, time.Now()) // who is dead is found with the beats
	}
}

// left frees what the process leases, when its lines have ended.
func (m *Messenger) left(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := m.rules.LeaveLines(ctx, m.owner); err != nil {
		m.Log.Warn("the leases of lines could not be released", "error", err)
	}
}

// lapse stops all lines when no beat has succeeded for too long: soon others may take them.
func (m *Messenger) lapse() {
	if len(m.served()) > 0 {
		m.Log.Warn("this process could not renew its leases of lines in time: the lines are released")
	}
	m.stopAll()
}

func (m *Messenger) stopAll() {
	for _, s := range m.served() {
		s.stop()
	}
}

// holds reports whether the lines that this process leases are its own. m.mu is held.
func (m *Messenger) holds() bool { return time.Now().Before(m.heldUntil) }

// serves reports whether this process serves lines now.
func (m *Messenger) serves() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ctx != nil && m.ctx.Err() == nil && m.holds()
}

// mayUse reports whether the session may use its line. A process that was stopped for long
// asks before it does what cannot be taken back. A session that was told to stop may not: its
// line may be another process's, whatever this one leases by then.
func (s *session) mayUse() bool {
	select {
	case <-s.stopped:
		return false
	default:
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.m.holds()
}

// endStaleLeases ends the leases of processes that died without releasing them.
func (m *Messenger) endStaleLeases(ctx context.Context) {
	rows, err := m.rules.Sessions(ctx, Type)
	dead := m.nodes.others(m.owner)
	for _, row := range rows {
		if row.Leased && row.LeaseOwner != m.owner {
			dead = append(dead, row.LeaseOwner)
		}
	}
	slices.Sort(dead)
	for _, name := range slices.Compact(dead) {
		err = errors.Join(err, m.rules.LeaveLines(ctx, name))
	}
	if err != nil { // the leases expire by themselves later
		m.Log.Warn("the leases of an earlier process could not be released", "error", err)
	}
}

// expire makes the rules fail the outbox items that could not be sent in time, once a
// second until ctx ends.
func (m *Messenger) expire(ctx context.Context) {
	for wait(ctx, time.Second) == nil {
		if _, err := m.rules.ExpireOutbox(ctx); err != nil && ctx.Err() == nil {
			m.Log.Warn("the outbox could not be checked for expired items", "error", err)
		}
	}
}

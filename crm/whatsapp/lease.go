package whatsapp

import (
	"context"
	"errors"
	"slices"
	"time"

	"chatcast/crm"
)

// tend stops the sessions whose lines are not ours any more, and takes over lines that no
// process serves. With settings the sessions read the settings of their lines again.
func (m *Messenger) tend(ctx context.Context, settings bool) {
	ctx, cancel := context.WithTimeout(ctx, m.times.lease)
	defer cancel()
	had := map[*session]bool{} // read before the rows: a line paired by then must be among them
	for _, s := range m.served() {
		had[s] = s.paired()
	}
	rows, err := m.rules.Sessions(ctx, Type)
	if err != nil {
		m.Log.Warn("the lines could not be read", "error", err)
	}
	for s, paired := range had {
		if err == nil && m.lost(s, paired, rows) {
			continue
		}
		s.saveAgain(ctx)
		if settings {
			s.reconfigure(ctx)
		}
	}
	mine := m.nodes.share(rows, m.owner, time.Now())
	m.give(rows, mine)
	if !m.serves() {
		return
	}
	for _, row := range rows {
		if m.serving(row.Line) != nil || row.Leased && row.LeaseOwner != m.owner && row.LeaseOwner != "" {
			continue
		}
		if m.interrupted(row) {
			m.endInterrupted(ctx, row.Line)
		}
		if toServe(row, time.Now()) && (row.LeaseOwner == m.owner || mine.room > 0) && m.takeOver(ctx, row.Line) && row.LeaseOwner != m.owner {
			mine.room--
		}
	}
}

// lost stops a session whose line, among those read after the session had begun, is gone or
// another process's.
func (m *Messenger) lost(s *session, paired bool, rows []crm.LineSession) bool {
	at := slices.IndexFunc(rows, func(r crm.LineSession) bool { return r.Line == s.on })
	switch {
	case m.serving(s.on) != s: // it has ended meanwhile, and gave its lease back
	case at < 0 && paired:
		s.log.Info("the line does not exist any more")
	case at >= 0 && rows[at].LeaseOwner != m.owner:
		s.log.Warn("another process serves this line now")
	default:
		return false
	}
	s.stop()
	return true
}

// takeOver serves a line that no process serves, unless it is being paired or logged out here.
// It reads the line's row again once it
// holds the lease: the list of lines may be older than the end of the line's previous
// session, and a line that was replaced or logged out must not be connected.
func (m *Messenger) takeOver(ctx context.Context, on crm.Line) (taken bool) {
	unlock, free := m.pairs.tryLock(on)
	if !free {
		return false
	}
	defer unlock()
	if m.serving(on) != nil { // it began meanwhile, and would give the lease back when it ends
		return false
	}
	mine, err := m.rules.Lease(ctx, on, m.owner, m.times.lease)
	if err != nil || !mine {
		return false
	}
	row, err := m.rules.SessionOf(ctx, on)
	if err == nil && row != nil && toServe(*row, time.Now()) && m.start(on, row, nil) != nil {
		return true
	}
	if m.serving(on) == nil { // also when this process is about to end
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, m.rules.Release(after, on, m.owner))
	}
	if err != nil {
		m.Log.Warn("a line could not be taken over", "license", on.LicenseID, "error", err)
	}
	return false
}

// interrupted reports whether a process died while it paired the line, or this one could not
// store the end of a pairing: nothing can be scanned or signed any more.
func (m *Messenger) interrupted(row crm.LineSession) bool {
	return row.Device == "" && beingPaired(&row) && (!row.Leased || row.LeaseOwner == m.owner)
}

// endInterrupted records that nothing was paired. A pairing that begins meanwhile goes
// on.
func (m *Messenger) endInterrupted(ctx context.Context, on crm.Line) {
	unlock, err := m.pairs.lock(ctx, on)
	if err != nil {
		return
	}
	defer unlock()
	if m.serving(on) != nil { // asked before the row is read: our own session saves its end, and then is gone
		return
	}
	row, err := m.rules.SessionOf(ctx, on)
	if err != nil || row == nil || !m.interrupted(*row) {
		return
	}
	mine, err := m.rules.Lease(ctx, on, m.owner, m.times.lease)
	if err != nil || !mine {
		return
	}
	err = m.rules.SetLineState(ctx, on, crm.LineState{State: crm.StateDisconnected, Detail: detailInterrupted, Owner: m.owner})
	if err = errors.Join(err, m.rules.Release(ctx, on, m.owner)); err != nil {
		m.Log.Warn("an interrupted pairing could not be ended", "license", on.LicenseID, "error", err)
	}
}

// toServe reports whether to connect the line without a request.
func toServe(row crm.LineSession, now time.Time) bool {
	if row.Device == "" {
		return false
	}
	switch row.State {
	case crm.StateLoggedOut, crm.StateReplaced:
		return false
	case crm.StateBanned:
		return row.BannedUntil == nil && now.Unix()-row.UpdatedAt > 3600 || row.BannedUntil != nil && *row.BannedUntil <= now.Unix()
	case crm.StateOutdated:
		return now.Unix()-row.UpdatedAt > 3600
	}
	return true
}

// start serves a line whose lease is ours: with the device of its row, or without one to
// pair it. It returns nil when Run is not running, the leases of this process may have ended,
// or the line is served already.
func (m *Messenger) start(on crm.Line, row *crm.LineSession, p *pairing) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx == nil || m.ctx.Err() != nil || m.sessions[on] != nil || !m.holds() {
		return nil
	}
	s := newSession(m, on, p)
	if row != nil {
		s.device, s.fresh = row.Device, beingPaired(row)
	}
	ctx, stop := context.WithCancel(m.ctx)
	s.stop, s.stopped = stop, ctx.Done()
	m.sessions[on] = s
	m.running.Go(func() {
		s.run(ctx)
		stop()
		m.release(context.WithoutCancel(ctx), s)
		m.mu.Lock()
		delete(m.sessions, on)
		m.mu.Unlock()
		close(s.done)
	})
	return s
}

// release gives the lease of an ended session back. The line is served until then: the next
// session must not begin with a lease that this one is about to give back.
func (m *Messenger) release(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := m.rules.Release(ctx, s.on, m.owner); err != nil {
		s.log.Warn("the lease of the line could not be released", "error", err)
	}
}

func (m *Messenger) serving(on crm.Line) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[on]
}

func (m *Messenger) served() (all []*session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		all = append(all, s)
	}
	return all
}

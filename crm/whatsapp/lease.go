package whatsapp

import (
	"context"
	"errors"
	"slices"
	"time"

	"chatcast/crm"
)

// endStaleLeases ends the leases of a process that died without releasing them.
func (m *Messenger) endStaleLeases(ctx context.Context) {
	rows, err := m.rules.Sessions(ctx, Type)
	for _, row := range rows {
		if row.Leased && row.LeaseOwner != m.owner && err == nil {
			err = m.rules.Release(ctx, row.Line, row.LeaseOwner)
		}
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

// tend renews the leases of the lines that this process serves, and takes over lines
// that no process serves.
func (m *Messenger) tend(ctx context.Context) {
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
	for _, s := range m.served() {
		removed := !slices.ContainsFunc(rows, func(r crm.LineSession) bool { return r.Line == s.on })
		if err == nil && removed && had[s] {
			s.log.Info("the line does not exist any more")
			s.stop()
			continue
		}
		m.renew(ctx, s)
	}
	for _, row := range rows {
		if m.serving(row.Line) == nil && toServe(row, time.Now()) {
			m.takeOver(ctx, row.Line)
		}
		if m.serving(row.Line) == nil && interrupted(row) {
			m.endInterrupted(ctx, row.Line)
		}
	}
}

// takeOver serves a line that no process serves. It reads the line's row again once it
// holds the lease: the list of lines may be older than the end of the line's previous
// session, and a line that was replaced or logged out must not be connected.
func (m *Messenger) takeOver(ctx context.Context, on crm.Line) {
	mine, err := m.rules.Lease(ctx, on, m.owner, m.times.lease)
	if err != nil || !mine {
		return
	}
	row, err := m.rules.SessionOf(ctx, on)
	if err == nil && row != nil && toServe(*row, time.Now()) && m.start(on, row, nil) != nil {
		return
	}
	if m.serving(on) == nil { // also when this process is about to end
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, m.rules.Release(after, on, m.owner))
	}
	if err != nil {
		m.Log.Warn("a line could not be taken over", "license", on.LicenseID, "error", err)
	}
}

// interrupted reports whether a process died while it paired the line: nothing can be
// scanned or signed any more.
func interrupted(row crm.LineSession) bool {
	return row.Device == "" && beingPaired(&row) && !row.Leased
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
	if err != nil || row == nil || !interrupted(*row) {
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

// renew renews the lease of a line. If that fails for two thirds of the lease's time, it
// stops the line's session before another process can take the line over.
func (m *Messenger) renew(ctx context.Context, s *session) {
	s.leasing.Lock()
	if s.released {
		s.leasing.Unlock()
		return
	}
	asked := time.Now()
	mine, err := m.rules.Lease(ctx, s.on, m.owner, m.times.lease)
	s.leasing.Unlock()
	m.mu.Lock()
	if err == nil && mine {
		m.tended[s.on] = asked
	}
	last := m.tended[s.on]
	m.mu.Unlock()
	switch {
	case err == nil && mine:
		s.save(ctx)
		s.reconfigure(ctx)
	case err == nil:
		s.log.Warn("another process serves this line now")
		s.stop()
	case time.Since(last) > m.times.lease*2/3:
		s.log.Warn("the lease of the line could not be renewed: the line is released", "error", err)
		s.stop()
	}
}

// start serves a line whose lease is ours: with the device of its row, or without one to
// pair it. It returns nil when Run is not running or the line is served already.
func (m *Messenger) start(on crm.Line, row *crm.LineSession, p *pairing) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx == nil || m.ctx.Err() != nil || m.sessions[on] != nil {
		return nil
	}
	s := newSession(m, on, p)
	if row != nil {
		s.device, s.fresh = row.Device, beingPaired(row)
	}
	ctx, stop := context.WithCancel(m.ctx)
	s.stop = stop
	m.sessions[on], m.tended[on] = s, time.Now()
	m.running.Go(func() {
		s.run(ctx)
		stop()
		m.release(context.WithoutCancel(ctx), s)
		m.mu.Lock()
		delete(m.sessions, on)
		delete(m.tended, on)
		m.mu.Unlock()
		close(s.done)
	})
	return s
}

// release gives the lease of an ended session back. The line is served until then: the next
// session must not begin with a lease that this one is about to give back.
func (m *Messenger) release(ctx context.Context, s *session) {
	s.leasing.Lock()
	defer s.leasing.Unlock()
	s.released = true
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

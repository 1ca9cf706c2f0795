package whatsapp

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

const (
	codeLife = 160 * time.Second // of a code to type: as long as the QR codes together
	showsAs  = "Chrome (Linux)"  // WhatsApp takes only names of this form
)

var (
	errPairingOver = crm.Unavailable("pairing ended before there was a code: try again")
	errAccepting   = crm.Unavailable("a phone has accepted, and is being paired: try again in a moment")
)

func (m *Messenger) pair(ctx context.Context, l crm.Line, phone string) (crm.Pairing, error) {
	p, err := m.beginPairing(ctx, l, phone)
	if p == nil || err != nil {
		return crm.Pairing{}, err
	}
	limited, cancel := context.WithTimeout(ctx, m.times.code)
	defer cancel()
	code, err := p.wait(limited) // without the line's lock: others may use the line meanwhile
	if s := m.serving(l); err == error(errNoCodeYet) && (s == nil || !s.open(s.client())) {
		err = errNoConnectionYet
	}
	return code, err
}

// beginPairing returns the line's pairing, and starts one when none is running. It
// returns nil without an error when the line is paired and is being connected again.
func (m *Messenger) beginPairing(ctx context.Context, l crm.Line, phone string) (*pairing, error) {
	unlock, err := m.pairs.lock(ctx, l)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s := m.serving(l)
	if s != nil && s.over.Load() {
		select {
		case <-s.done:
			s = nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if s != nil {
		p := s.currentPairing()
		if p == nil {
			if s.accepting() {
				return nil, errAccepting
			}
			return nil, &crm.Error{Code: crm.CodeConflict, Message: "an account is paired already: log it out first"}
		}
		if cli := s.client(); phone != "" && p.askFor(phone, cli) {
			s.requestCode(cli, p)
		}
		return p, nil
	}
	if !m.serves() {
		return nil, errNotRunning
	}
	mine, err := m.rules.Lease(ctx, l, m.owner, m.times.lease)
	if err != nil {
		return nil, err
	}
	if !mine {
		return nil, errElsewhere
	}
	row, err := m.rules.SessionOf(ctx, l) // after the lease: its last process may have paired it
	if err != nil {
		m.giveBack(ctx, l)
		return nil, err
	}
	if row != nil && row.Device != "" {
		if m.start(l, row, nil) == nil {
			return nil, m.notStarted(ctx, l)
		}
		return nil, nil
	}
	p := newPairing(phone)
	if m.start(l, nil, p) == nil {
		return nil, m.notStarted(ctx, l)
	}
	return p, nil
}

var errNotRunning = crm.Unavailable("the program is starting or stopping: try again")

// notStarted gives the lease of a line back that could not be started.
func (m *Messenger) notStarted(ctx context.Context, l crm.Line) error {
	m.giveBack(ctx, l)
	return errNotRunning
}

// giveBack releases the lease of a line, unless this process serves it.
func (m *Messenger) giveBack(ctx context.Context, l crm.Line) {
	if m.serving(l) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeWithin)
	defer cancel()
	if err := m.rules.Release(ctx, l, m.owner); err != nil {
		m.Log.Warn("the lease of the line could not be released", "license", l.LicenseID, "error", err)
	}
}

// accepted saves the device whose pairing the phone has signed. whatsmeow calls it before it
// stores the device's keys and answers WhatsApp: whenever the program is killed, the line
// knows of a device that may be linked.
//
// It returns false, and nothing is paired, when the pairing is no longer wanted: the client
// was given up, or the line is logged out or paired; or when the device cannot be saved.
// The keys are stored after accepted returns, so they may be missing when the connection
// ends, or in the next process.
func (s *session) accepted(l *lifetime, id types.JID) bool {
	if !l.begin() {
		return false
	}
	defer l.works.Done()
	device := id.String()
	if !s.wanted(func() {}) {
		return false
	}
	if err := s.saveDevice(l.ctx, device); err != nil {
		s.log.Warn("the device that a phone has accepted could not be saved", "error", err)
		return false
	}
	if !s.wanted(func() { s.device, s.fresh, s.told = device, true, make(chan struct{}) }) { // it ended meanwhile
		if err := s.saveDevice(l.ctx, ""); err != nil {
			s.log.Warn("a device that is not wanted any more could not be removed", "error", err)
		}
		return false
	}
	s.endPairing(&crm.Error{Code: crm.CodeConflict, Message: "an account is paired already: log it out first"})
	return true
}

// wanted calls then while the session's pairing runs, and reports whether it does.
func (s *session) wanted(then func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairing == nil || s.loggingOut.Load() {
		return false
	}
	then()
	return true
}

// saveDevice saves the line's device, or that there is none, and its state as it is.
func (s *session) saveDevice(ctx context.Context, device string) error {
	unlock, err := s.saving.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.loggingOut.Load() {
		if device == "" {
			return s.m.setLoggedOut(ctx, s.on, detailLeft)
		}
		return errPairingOver
	}
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	st.Device = &device
	return s.m.rules.SetLineState(ctx, s.on, st)
}

// scanned saves the device that was just paired. If the connection ended before, the
// next connection saves it.
func (s *session) scanned(ctx context.Context, id types.JID) {
	device, phone := id.String(), id.User
	s.mu.Lock()
	s.fresh = false
	s.pairingTold()
	s.mu.Unlock()
	s.set(ctx, crm.LineState{State: crm.StateConnecting, Device: &device, Phone: &phone, Detail: detailConnecting})
}

// accepting reports whether a phone has accepted a pairing that may still fail.
func (s *session) accepting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh
}

// neverStored reports whether the session's device was accepted but its keys were not
// stored, because the connection ended in between. It then forgets the device.
func (s *session) neverStored() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fresh {
		return false
	}
	s.device, s.fresh = "", false
	return true
}

// notScanned ends a pairing that failed on our side.
func (s *session) notScanned(e *events.PairError) {
	s.log.Warn("pairing failed", "error", e.Error)
	s.mu.Lock()
	s.device, s.fresh = "", false
	s.pairingTold()
	s.mu.Unlock()
	detail := "pairing failed: try again"
	if errors.Is(e.Error, whatsmeow.ErrPairInvalidDeviceIdentityHMAC) || errors.Is(e.Error, whatsmeow.ErrPairInvalidDeviceSignature) {
		detail = "the phone's answer to the pairing does not fit the code: try again with a new one"
	}
	s.endPairing(crm.Unavailable(detail))
	s.end(ending{kind: endUnpaired})
}

package whatsapp

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

func (m *Messenger) logout(ctx context.Context, l crm.Line) error {
	unlock, err := m.pairs.lock(ctx, l)
	if err != nil {
		return err
	}
	defer unlock()
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil {
		return err
	}
	if row == nil && m.serving(l) == nil {
		return m.Unpaired.Logout(ctx, l)
	}
	s := m.serving(l) // before the lease: a session that ends after this gives the lease back
	mine, err := m.rules.Lease(ctx, l, m.owner, m.times.lease)
	if err != nil {
		return err
	}
	if !mine {
		return errElsewhere
	}
	defer m.giveBack(ctx, l)
	if s == nil {
		if row, err = m.rules.SessionOf(ctx, l); err != nil { // its last process may have changed it
			return err
		}
		s = m.startToLeave(l, row)
	}
	detail := detailLeft
	if s != nil && !s.unlink(ctx) || s == nil && row != nil && row.Device != "" {
		detail = detailListed
	}
	err = m.setLoggedOut(ctx, l, detail)
	if s != nil && s.over.Load() && err != nil {
		<-s.done // it was ending by itself, and gave the lease back
		if mine, again := m.rules.Lease(ctx, l, m.owner, m.times.lease); again == nil && mine {
			err = m.setLoggedOut(ctx, l, detail)
		}
	}
	var devices []string
	if row != nil {
		devices = append(devices, row.Device)
	}
	if s != nil {
		s.stop()
		<-s.done
		device, _ := s.deviceAndPhone() // the line may have been paired just now
		devices = append(devices, device)
	}
	slices.Sort(devices)
	for _, device := range slices.Compact(devices) {
		if err == nil && device != "" {
			err = m.forget(ctx, device)
		}
	}
	return err
}

// startToLeave serves a line that no process serves, so that WhatsApp can be told of its logout.
// It returns nil when the line cannot connect now.
func (m *Messenger) startToLeave(l crm.Line, row *crm.LineSession) *session {
	if row == nil || row.Device == "" || row.State != crm.StateReplaced && !toServe(*row, time.Now()) {
		return nil
	}
	return m.start(l, row, nil)
}

// leaving is what a logout and the loop of the connections tell each other.
type leaving struct {
	hurry chan struct{} // a logout waits for the next connection
	ready chan struct{} // there is one
}

func newLeaving() leaving {
	return leaving{hurry: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
}

// unlink has WhatsApp remove the device from those that the phone lists. A line between two
// connections is waited for, not for long. It reports whether there is nothing on the list.
func (s *session) unlink(ctx context.Context) (gone bool) {
	s.loggingOut.Store(true)
	if unlock, err := s.saving.lock(ctx); err == nil { // what is being saved now must not come after the logout
		unlock()
	}
	if !s.paired() {
		return true
	}
	waiting, cancel := context.WithTimeout(ctx, halfOf(ctx, s.m.times.unlink))
	defer cancel()
	notify(s.leaving.hurry)
	for {
		if cli := s.client(); cli != nil && cli.IsLoggedIn() && s.askUnlink(ctx, cli) {
			return true
		}
		select { // also after a question that the end of its connection cut short
		case <-s.leaving.ready:
		case <-s.done:
			return !s.paired() // WhatsApp says that the device is not on the list any more
		case <-waiting.Done():
			return false
		}
	}
}

// askUnlink asks WhatsApp to remove the device, and reports whether it did.
func (s *session) askUnlink(ctx context.Context, cli *whatsmeow.Client) bool {
	asked, cancel := context.WithTimeout(ctx, halfOf(ctx, 10*time.Second))
	defer cancel()
	err := cli.Logout(asked)
	if err != nil {
		s.log.Info("WhatsApp could not be told of the logout", "error", err)
	}
	return err == nil
}

// halfOf returns d, or half of the time that ctx has left if that is less: the rest is for what
// follows.
func halfOf(ctx context.Context, d time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(d, time.Until(end)/2)
	}
	return d
}

// setLoggedOut stores that the line is logged out. The error is errElsewhere when another
// process has taken the line.
func (m *Messenger) setLoggedOut(ctx context.Context, l crm.Line, detail string) error {
	none := ""
	err := m.rules.SetLineState(ctx, l, crm.LineState{State: crm.StateLoggedOut, Device: &none, Detail: detail, Owner: m.owner})
	var refusal *crm.Error
	if errors.As(err, &refusal) && refusal.Code == crm.CodeConflict {
		return errElsewhere
	}
	return err
}

// forget removes a device's keys.
func (m *Messenger) forget(ctx context.Context, device string) error {
	j, err := types.ParseJID(device)
	if err != nil {
		return err
	}
	dev, err := m.container.device(ctx, j)
	if err != nil || dev == nil {
		return err
	}
	return dev.Delete(ctx)
}

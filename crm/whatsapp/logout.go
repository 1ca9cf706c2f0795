package whatsapp

import (
	"context"
	"errors"
	"slices"
	"time"

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
	} else {
		s.informOfLogout(ctx)
	}
	err = m.setLoggedOut(ctx, l)
	if s != nil && s.over.Load() && err != nil {
		<-s.done // it was ending by itself, and gave the lease back
		if mine, again := m.rules.Lease(ctx, l, m.owner, m.times.lease); again == nil && mine {
			err = m.setLoggedOut(ctx, l)
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

// informOfLogout tells WhatsApp that the session ends.
func (s *session) informOfLogout(ctx context.Context) {
	s.loggingOut.Store(true)
	if cli := s.client(); cli != nil && cli.IsLoggedIn() {
		asked, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := cli.Logout(asked); err != nil {
			s.log.Info("WhatsApp could not be informed of the logout", "error", err)
		}
	}
}

// setLoggedOut stores that the line is logged out. The error is errElsewhere when another
// process has taken the line.
func (m *Messenger) setLoggedOut(ctx context.Context, l crm.Line) error {
	none := ""
	err := m.rules.SetLineState(ctx, l, crm.LineState{State: crm.StateLoggedOut, Device: &none, Detail: detailLeft, Owner: m.owner})
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

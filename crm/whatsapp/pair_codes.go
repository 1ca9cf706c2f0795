package whatsapp

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

// codes shows the QR codes one after the other, and requests a code to type when the
// pairing is by phone number.
func (s *session) codes(ctx context.Context, cli *whatsmeow.Client, e *events.QR) {
	p := s.currentPairing()
	if p == nil || len(e.Codes) == 0 {
		return
	}
	p.mu.Lock()
	byPhone := p.phone != ""
	p.offered = cli
	p.secretShown = "" // these codes have the present one
	p.mu.Unlock()
	if byPhone {
		s.requestCode(cli, p)
	}
	s.helpers.Go(func() {
		for i, code := range e.Codes {
			life := s.m.times.laterQR
			if i == 0 {
				life = s.m.times.firstQR
			}
			if !s.showUntil(ctx, p, code, time.Now().Add(life)) {
				return
			}
		}
		if s.currentPairing() == p && p.passkeyNow() == nil {
			s.end(ending{kind: endUnpaired})
		}
	})
}

// showUntil shows a QR code until the given time, and shows it anew when the secret in it
// changes. It reports whether the pairing is still running.
func (s *session) showUntil(ctx context.Context, p *pairing, code string, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		now, changed := p.withSecret(code)
		if !s.showQR(ctx, p, now, until) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-changed:
		}
	}
}

// newSecret shows the code with the secret that WhatsApp has asked for. The phone's answer
// to the one shown before would be refused.
func (s *session) newSecret(e *events.RotateADVSecret) {
	if p := s.currentPairing(); p != nil {
		p.replaceSecret(e.OldSecret, e.NewSecret)
	}
}

// showQR shows a QR code, unless the pairing is by phone number. It reports whether the
// pairing is still running, and has not come to the passkey.
func (s *session) showQR(ctx context.Context, p *pairing, code string, until time.Time) bool {
	if s.currentPairing() != p {
		return false
	}
	p.mu.Lock()
	byPhone, passkey := p.phone != "", p.passkey != nil
	p.qr = code
	p.mu.Unlock()
	if passkey {
		return false
	}
	if byPhone {
		return true // the code to type stays
	}
	s.tell(ctx, p, crm.Pairing{QR: &code, ExpiresAt: until.Unix()})
	return true
}

// tell shows a code on the line's channel, and then returns it to the callers of Pair:
// as soon as they have it, it may be used up.
func (s *session) tell(ctx context.Context, p *pairing, c crm.Pairing) {
	p.mu.Lock()
	past := p.isPast(c)
	p.mu.Unlock()
	if past {
		return
	}
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.m.rules.PublishQR(limited, s.on, c); err != nil {
		s.log.Warn("the code could not be shown on the line's channel", "error", err)
	}
	p.show(c, nil)
}

// requestCode asks WhatsApp for a code to type into the phone.
func (s *session) requestCode(cli *whatsmeow.Client, p *pairing) {
	p.mu.Lock()
	phone := p.phone
	p.mu.Unlock()
	s.helpers.Go(func() {
		ctx, cancel := context.WithTimeout(cli.BackgroundEventCtx, s.m.times.code)
		defer cancel()
		code, err := cli.PairPhone(ctx, phone, true, whatsmeow.PairClientChrome, showsAs)
		p.mu.Lock()
		wanted := p.phone == phone
		p.mu.Unlock()
		switch {
		case !wanted: // another phone was named meanwhile
		case errors.Is(err, whatsmeow.ErrPhoneNumberTooShort), errors.Is(err, whatsmeow.ErrPhoneNumberIsNotInternational):
			p.show(crm.Pairing{}, crm.Invalid("phone", "must be a phone number with its country code"))
		case err != nil:
			s.log.Info("WhatsApp gave no code for the phone", "error", err)
			p.show(crm.Pairing{}, crm.Unavailable("WhatsApp gave no code for this phone: try again later, or by QR"))
		default:
			s.tell(ctx, p, crm.Pairing{Code: &code, ExpiresAt: time.Now().Add(codeLife).Unix()})
		}
	})
}

package whatsapp

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/crm"
)

// pairing is a pairing under way.
type pairing struct {
	mu     sync.Mutex
	ready  chan struct{} // guarded by mu; closed when there is a code to show or the pairing is over
	phone  string        // guarded by mu; empty: pairing by QR code
	shown  crm.Pairing   // guarded by mu
	qr     string        // guarded by mu; the present QR code, also beside a code to type
	err    error         // guarded by mu
	opened bool          // guarded by mu: ready is closed
	over   bool          // guarded by mu: nothing is shown any more

	offered *whatsmeow.Client // guarded by mu: who got WhatsApp's QR codes; a code to type can be asked for from then on

	secretShown string        // guarded by mu: the secret that the codes were made with; empty: they have the present one
	secretNow   string        // guarded by mu: what WhatsApp had it replaced by
	replaced    chan struct{} // guarded by mu; closed and replaced when the secret changes

	passkey *passkeyStep // guarded by mu; nil: WhatsApp has not asked for a passkey. What it points to does not change
}

func newPairing(phone string) *pairing {
	return &pairing{phone: phone, ready: make(chan struct{}), replaced: make(chan struct{})}
}

// replaceSecret replaces the secret in the QR codes.
func (p *pairing) replaceSecret(old, now string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secretShown == "" {
		p.secretShown = old
	}
	p.secretNow = now
	close(p.replaced)
	p.replaced = make(chan struct{})
}

// withSecret returns a QR code with the present secret. changed is closed when the secret
// changes.
func (p *pairing) withSecret(code string) (now string, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secretShown != "" {
		code = strings.Replace(code, p.secretShown, p.secretNow, 1)
	}
	return code, p.replaced
}

func (p *pairing) show(c crm.Pairing, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || err == nil && p.isPast(c) {
		return
	}
	if err == nil {
		p.shown = c
	}
	p.answer(err)
}

// end ends the pairing: whoever asks from now on gets err.
func (p *pairing) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.answer(err)
}

// answer wakes the callers of wait. mu is held.
func (p *pairing) answer(err error) {
	if p.err = err; !p.opened {
		p.opened = true
		close(p.ready)
	}
}

// isPast reports whether the pairing is past what c shows: codes, when WhatsApp has asked
// for a passkey, and QR codes, when somebody waits for a code to type. mu is held.
func (p *pairing) isPast(c crm.Pairing) bool {
	return p.passkey != nil && c.Passkey == nil || p.phone != "" && c.QR != nil
}

// wait waits until there is a code to show, and returns it.
func (p *pairing) wait(ctx context.Context) (crm.Pairing, error) {
	p.mu.Lock()
	ready := p.ready
	p.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return crm.Pairing{}, errNoCodeYet
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := p.shown
	if shown.Code != nil {
		shown.Beside = p.qr
	}
	return shown, p.err
}

// askFor changes the pairing to one by a code for phone. It reports whether the caller must
// ask cli for it now: not when that phone's code is shown or on its way, when the pairing is over or waits for a
// passkey, or when it waits for the QR codes of cli, with which the code is asked for.
func (p *pairing) askFor(phone string, cli *whatsmeow.Client) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.passkey != nil || p.phone == phone && p.err == nil {
		return false
	}
	p.phone = phone
	if p.opened {
		p.opened, p.ready = false, make(chan struct{})
	}
	return cli != nil && p.offered == cli
}

func (s *session) currentPairing() *pairing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pairing
}

// endPairing ends the running pairing, if any. Callers that wait for it get err.
func (s *session) endPairing(err error) {
	s.mu.Lock()
	p := s.pairing
	s.pairing = nil
	s.mu.Unlock()
	if p != nil {
		s.m.passkeyEnds.note(s.on, p.passkeyNow(), err)
		p.end(err)
	}
}

// unpaired ends the pairing and records why nothing was paired. Without a reason nobody
// scanned the code.
func (s *session) unpaired(ctx context.Context, why string) {
	if p := s.currentPairing(); why == "" && p != nil && p.passkeyNow() != nil {
		why = detailPasskeyLost
	}
	message, detail := "WhatsApp ended the pairing: try again", detailNotScanned
	if why != "" {
		message, detail = why+" Try again.", why+crm.NothingPaired
	}
	s.endPairing(crm.Unavailable(message))
	none := ""
	s.set(ctx, crm.LineState{State: crm.StateDisconnected, Device: &none, Detail: detail})
}

// pairingTold notes that whatsmeow has told what became of a pairing. mu is held.
func (s *session) pairingTold() {
	if s.told != nil {
		close(s.told)
		s.told = nil
	}
}

// answerGrace is how long whatsmeow may take to notice that its answer to a pairing was sent.
const answerGrace = 3 * time.Second

// relogin ends the connection of a pairing, as WhatsApp wants after it has got the answer.
// whatsmeow may not have noticed yet that the answer was sent. If the connection ended now, it
// would take the pairing for a failure and remove the keys of a device that is linked.
func (s *session) relogin(ctx context.Context) {
	s.mu.Lock()
	told := s.told
	s.mu.Unlock()
	if told != nil {
		grace := time.NewTimer(answerGrace)
		defer grace.Stop()
		select {
		case <-told:
		case <-grace.C:
		case <-ctx.Done():
		}
	}
	s.end(ending{kind: endRelogin})
}

// open reports whether the connection of cli, the session's present client, is open.
func (s *session) open(cli *whatsmeow.Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life != nil && s.cli == cli && s.life.opening.Load().is(opened)
}

package whatsapp

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

// passkeyOrigin is the only page on which browsers let WhatsApp's passkeys be used for
// linking.
const passkeyOrigin = "https://web.whatsapp.com"

// maxPasskeyLife is how long a pairing waits for a passkey at most.
const maxPasskeyLife = 10 * time.Minute

var _ crm.PasskeyMessenger = (*Messenger)(nil)

var errPasskeyGiven = &crm.Error{Code: crm.CodeConflict, Message: "the passkey was given already"}

// passkeyPhase is how far the passkey step of a pairing is:
//
//	PairPasskeyRequest    SignPasskey           PairPasskeyConfirmation        ConfirmPasskey
//	---------------> asked ---------> checking ------------------------> code ----> confirmed --> scanned
//	                                      |    without a code to compare              ^
//	                                      +-------------------------------------------+
//
// Every phase ends the pairing when it takes too long.
type passkeyPhase int

const (
	passkeyAsked passkeyPhase = iota
	passkeyChecking
	passkeyCode
	passkeyConfirmed
)

// passkeyStep is the passkey step of a pairing.
type passkeyStep struct {
	phase passkeyPhase
	shown crm.PasskeyStep
	until time.Time
	moved chan struct{} // closed when the next phase begins

	challenge string // of the options, for as long as the step is remembered
}

// needsPasskey shows what the account's passkey has to sign.
func (s *session) needsPasskey(ctx context.Context, e *events.PairPasskeyRequest) {
	p := s.currentPairing()
	if p == nil {
		return
	}
	o := passkeyOptions(e.PublicKey)
	if o == nil || o.Challenge == "" || !o.Fits(passkeyOrigin) {
		s.log.Warn("WhatsApp asks for a passkey that its own page cannot use")
		s.end(ending{kind: endUnpaired, detail: detailPasskeyUnknown})
		return
	}
	// The time in the options is for the browser's dialog alone, and people have to go to
	// another page first, or to install something.
	life := max(s.m.times.passkey, min(maxPasskeyLife, time.Duration(o.Timeout)*time.Millisecond))
	step := passkeyStep{shown: crm.PasskeyStep{Options: o, Origin: passkeyOrigin}, until: time.Now().Add(life), challenge: o.Challenge}
	if s.passkeyAt(ctx, p, p.passkeyNow(), step) != nil {
		s.set(ctx, crm.LineState{State: crm.StatePasskey, Detail: detailPasskey})
		s.tell(ctx, p, step.pairing())
	}
}

func (k *passkeyStep) pairing() crm.Pairing {
	shown := k.shown
	return crm.Pairing{ExpiresAt: k.until.Unix(), Passkey: &shown}
}

// passkeyAt moves the pairing from a phase of the passkey step to the next one, and
// returns it. It returns nil when the pairing is not in that phase any more.
func (s *session) passkeyAt(ctx context.Context, p *pairing, from *passkeyStep, next passkeyStep) *passkeyStep {
	next.moved = make(chan struct{})
	p.mu.Lock()
	if p.passkey != from {
		p.mu.Unlock()
		return nil
	}
	p.passkey = &next
	p.mu.Unlock()
	if from != nil {
		close(from.moved)
	}
	s.helpers.Go(func() { s.expirePasskey(ctx, p, &next) })
	return &next
}

// expirePasskey ends the pairing when the phase takes too long.
func (s *session) expirePasskey(ctx context.Context, p *pairing, at *passkeyStep) {
	timer := time.NewTimer(time.Until(at.until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-at.moved:
	case <-timer.C:
		if s.currentPairing() == p {
			s.end(ending{kind: endUnpaired, detail: detailPasskeyLate})
		}
	}
}

func (m *Messenger) signPasskey(ctx context.Context, l crm.Line, a crm.Assertion) error {
	s, p, at := m.passkeyOf(l)
	if at == nil {
		return m.noPasskey(ctx, l, a.Challenge())
	}
	if at.phase != passkeyAsked {
		return errPasskeyGiven
	}
	if err := a.Check(&at.shown); err != nil {
		return err
	}
	next := passkeyStep{
		phase: passkeyChecking, shown: crm.PasskeyStep{Origin: passkeyOrigin}, until: time.Now().Add(codeLife), challenge: at.challenge,
	}
	return s.advance(p, at, next, func(ctx context.Context, cli *whatsmeow.Client) error {
		return cli.SendPasskeyResponse(ctx, webAuthn(a))
	})
}

// confirmation shows the code that has to be compared with the phone's, or goes on when
// WhatsApp needs no comparison.
func (s *session) confirmation(ctx context.Context, e *events.PairPasskeyConfirmation) {
	p := s.currentPairing()
	if p == nil {
		return
	}
	at := p.passkeyNow()
	if at == nil || at.phase != passkeyChecking {
		s.log.Warn("the phone confirms a passkey that nobody gave")
		return
	}
	if e.SkipHandoffUX {
		s.helpers.Go(func() { _ = s.confirm(p, at) }) // an error ends the pairing
		return
	}
	code := e.Code
	step := passkeyStep{
		phase: passkeyCode, shown: crm.PasskeyStep{Origin: passkeyOrigin, Code: &code}, until: time.Now().Add(codeLife), challenge: at.challenge,
	}
	if s.passkeyAt(ctx, p, at, step) != nil {
		s.set(ctx, crm.LineState{State: crm.StatePasskey, Detail: detailPasskeyCode})
		s.tell(ctx, p, step.pairing())
	}
}

func (m *Messenger) confirmPasskey(ctx context.Context, l crm.Line, code string) error {
	s, p, at := m.passkeyOf(l)
	switch {
	case at == nil:
		return m.noPasskey(ctx, l, "")
	case at.phase < passkeyCode:
		return &crm.Error{Code: crm.CodeConflict, Message: "there is no code to compare yet"}
	case at.phase > passkeyCode:
		return &crm.Error{Code: crm.CodeConflict, Message: "the code was confirmed already"}
	case subtle.ConstantTimeCompare([]byte(bareCode(code)), []byte(bareCode(*at.shown.Code))) == 0:
		return crm.Invalid("code", "is not the code of this pairing")
	}
	return s.confirm(p, at)
}

func bareCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}

func (s *session) confirm(p *pairing, at *passkeyStep) error {
	next := passkeyStep{
		phase: passkeyConfirmed, shown: crm.PasskeyStep{Origin: passkeyOrigin}, until: time.Now().Add(codeLife), challenge: at.challenge,
	}
	return s.advance(p, at, next, func(ctx context.Context, cli *whatsmeow.Client) error {
		return cli.SendPasskeyConfirmation(ctx)
	})
}

// advance moves to a phase whose beginning WhatsApp hears of by send. One caller at a
// time does so. If WhatsApp refuses, or does not answer, the pairing ends: whether the
// challenge is used up is not known then. What has begun goes on when the request that
// began it is given up. An answer is not waited for when the next phase begins before it.
func (s *session) advance(p *pairing, at *passkeyStep, next passkeyStep, send func(context.Context, *whatsmeow.Client) error) error {
	s.mu.Lock()
	cli, life := s.cli, s.life
	s.mu.Unlock()
	if cli == nil || !s.mayUse() || !life.begin() {
		return errNoConnectionYet
	}
	defer life.works.Done()
	if s.currentPairing() != p {
		return errPasskeyGiven
	}
	now := s.passkeyAt(life.ctx, p, at, next)
	if now == nil {
		return errPasskeyGiven
	}
	s.set(life.ctx, crm.LineState{State: crm.StatePasskey, Detail: detailPasskeyGiven})
	s.tell(life.ctx, p, next.pairing())
	limited, cancel := context.WithTimeout(life.ctx, s.m.times.answer)
	defer cancel()
	s.helpers.Go(func() {
		select {
		case <-now.moved:
			cancel()
		case <-limited.Done():
		}
	})
	err := send(limited, cli)
	if err == nil || p.passkeyNow() != now || s.paired() { // what came next tells that it was accepted
		return nil
	}
	s.log.Info("the passkey was not accepted", "error", err)
	var refused *whatsmeow.IQError
	if errors.As(err, &refused) {
		s.end(ending{kind: endUnpaired, detail: detailPasskeyRefused})
		return &crm.Error{Code: crm.CodeConflict, Message: detailPasskeyRefused}
	}
	s.end(ending{kind: endUnpaired, detail: detailPasskeyUnanswered})
	return crm.Unavailable(detailPasskeyUnanswered)
}

func (m *Messenger) cancelPasskey(ctx context.Context, l crm.Line) error {
	s, _, at := m.passkeyOf(l)
	if at == nil {
		return m.noPasskey(ctx, l, "")
	}
	s.end(ending{kind: endUnpaired, detail: detailPasskeyCancelled})
	return nil
}

// passkeyError ends the pairing when whatsmeow cannot handle what WhatsApp or the phone
// said.
func (s *session) passkeyError(e *events.PairPasskeyError) {
	s.log.Warn("a step of a pairing by passkey failed", "continuation", e.Continuation, "error", e.Error)
	if s.currentPairing() == nil {
		return
	}
	detail := detailPasskeyUnknown
	if e.Continuation {
		detail = detailPasskeyRefused
	}
	s.end(ending{kind: endUnpaired, detail: detail})
}

// passkeyOf returns the line's pairing that is at the passkey step; at is nil when there
// is none.
func (m *Messenger) passkeyOf(l crm.Line) (s *session, p *pairing, at *passkeyStep) {
	if s = m.serving(l); s == nil {
		return nil, nil, nil
	}
	if p = s.currentPairing(); p == nil {
		return s, nil, nil
	}
	return s, p, p.passkeyNow()
}

// passkeyNow returns the present phase, or nil when no passkey was asked for.
func (p *pairing) passkeyNow() *passkeyStep {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passkey
}

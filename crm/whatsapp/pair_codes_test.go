package whatsapp

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestRotatedSecret checks that the code on the screen is replaced when WhatsApp asks for
// another secret: the phone's answer to the old one would be refused.
func TestRotatedSecret(t *testing.T) {
	w := newWorld(t)
	first := *w.code(t, "").QR
	next := first
	for range 2 { // the second time, the secret in the first code is no longer the present one
		old := next
		w.RotateSecrets()
		err := w.rules.await(testwait.Context(t), "another code", func() bool {
			next = *w.rules.codes[len(w.rules.codes)-1].QR
			return next != old
		})
		if err != nil {
			t.Fatal(err)
		}
		ref, _, _ := strings.Cut(first, ",")
		if !strings.HasPrefix(next, ref+",") {
			t.Errorf("the code %s replaced %s", next, old)
		}
	}
	if p := w.code(t, ""); *p.QR != next {
		t.Errorf("Pair returns %s", *p.QR)
	}
	if _, err := w.shop.ScanQR(testwait.Context(t), next); err != nil {
		t.Fatal(err)
	}
	w.awaitState(t, crm.StateConnected)
}

// TestCodesBeforeTheConnectionIsKnown checks that a code to type is asked for when WhatsApp's
// QR codes arrive before whatsmeow has said that it is connected, and when the phone is named
// only after them.
func TestCodesBeforeTheConnectionIsKnown(t *testing.T) {
	w := newWorld(t)
	w.code(t, "")
	s := w.m.serving(testLine)
	cli, p := s.client(), s.currentPairing()
	s.mu.Lock()
	known := s.life.opening.Swap(&opening{lost: make(chan struct{}, 1)})
	s.mu.Unlock()
	shown := w.code(t, "79990001122")
	if shown.Code == nil {
		t.Fatalf("named after the QR codes: %+v", shown)
	}
	p.mu.Lock()
	p.offered, p.opened, p.ready, p.shown = nil, false, make(chan struct{}), crm.Pairing{}
	p.mu.Unlock()
	s.codes(t.Context(), cli, &events.QR{Codes: []string{"2@ref,noise,identity,secret"}})
	if shown := w.code(t, ""); shown.Code == nil {
		t.Errorf("named before the QR codes: %+v", shown)
	}
	s.mu.Lock()
	s.life.opening.Store(known)
	s.mu.Unlock()
}

// TestCodeRefusedOnce checks that a code is asked for again when WhatsApp gave none before.
func TestCodeRefusedOnce(t *testing.T) {
	w := newWorld(t)
	w.code(t, "")
	if _, err := w.m.Pair(testwait.Context(t), testLine, "12"); err == nil {
		t.Fatal("a phone of two digits gets a code")
	}
	p := w.m.serving(testLine).currentPairing()
	p.show(crm.Pairing{}, crm.Unavailable("WhatsApp gave no code"))
	p.mu.Lock()
	p.phone = "79990001122"
	p.mu.Unlock()
	if shown := w.code(t, "79990001122"); shown.Code == nil {
		t.Errorf("asked again: %+v", shown)
	}
}

// TestPairingIsOver checks that a code which comes late is not shown, and that nobody waits for
// one, after a pairing has ended; and that a QR code does not take the place of one to type.
func TestPairingIsOver(t *testing.T) {
	qr, typed, ended := "2@a,b,c,d,9", "ABCD-EFGH", crm.Unavailable("it is over")
	p := newPairing("")
	p.show(crm.Pairing{QR: &qr}, nil)
	p.askFor("79990001122", nil)
	p.show(crm.Pairing{QR: &qr}, nil)
	select {
	case <-p.ready:
		t.Error("a QR code is shown to whoever waits for a code to type")
	default:
	}
	p.show(crm.Pairing{Code: &typed}, nil)
	if c, err := p.wait(t.Context()); err != nil || c.Code != &typed {
		t.Errorf("shown is %+v, %v", c, err)
	}
	p.end(ended)
	p.show(crm.Pairing{Code: &typed}, nil)
	p.show(crm.Pairing{}, errNoCodeYet)
	p.askFor("79990001133", nil)
	if _, err := p.wait(t.Context()); err != error(ended) {
		t.Errorf("after its end: %v", err)
	}
}

// TestAnswerIsSentBeforeTheNextConnection checks that the connection of a pairing does not end
// before whatsmeow has told what became of it, and that it ends if whatsmeow does not tell.
func TestAnswerIsSentBeforeTheNextConnection(t *testing.T) {
	device := types.NewADJID("79990001122", 0, 9)
	for name, c := range map[string]struct {
		told any
		want endKind
	}{"paired": {&events.PairSuccess{ID: device}, endRelogin}, "failed": {&events.PairError{ID: device}, endUnpaired}, "not told": {nil, endRelogin}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &Messenger{Options: Options{Log: slog.New(slog.DiscardHandler)}, rules: newRecorder()}
				s, life, began := newSession(m, testLine, newPairing("")), newLifetime(t.Context()), time.Now()
				if !s.accepted(life, device) {
					t.Fatal("the pairing is refused")
				}
				go s.handle(life.ctx, nil, &events.ManualLoginReconnect{})
				synctest.Wait()
				if len(s.ends) > 0 {
					t.Error("the connection has ended")
				}
				if c.told != nil {
					s.handle(life.ctx, nil, c.told)
				}
				if end := <-s.ends; end.kind != c.want || c.told != nil && time.Since(began) > 0 {
					t.Errorf("the end is %+v after %v", end, time.Since(began))
				}
			})
		})
	}
}

// TestPairedThoughNotTold checks that a line is known to be paired when the connection of the
// pairing ended before whatsmeow told that it succeeded.
func TestPairedThoughNotTold(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	s := w.m.serving(testLine)
	s.mu.Lock()
	s.fresh = true
	s.mu.Unlock()
	before := len(w.states())
	w.shop.Drop()
	eventually(t, "it is not connected again", func() bool {
		return slices.ContainsFunc(w.states()[before:], func(st crm.LineState) bool { return st.State == crm.StateConnected })
	})
	var e *crm.Error
	if _, err := w.m.Pair(testwait.Context(t), testLine, ""); !errors.As(err, &e) || e.Code != crm.CodeConflict {
		t.Errorf("paired again: %v", err)
	}
}

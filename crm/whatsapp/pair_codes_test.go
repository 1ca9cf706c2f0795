package whatsapp

import (
	"strings"
	"testing"

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

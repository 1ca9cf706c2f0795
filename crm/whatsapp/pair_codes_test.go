package whatsapp

import (
	"strings"
	"testing"

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

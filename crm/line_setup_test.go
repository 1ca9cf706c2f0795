package crm_test

import (
	"context"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestLineNotSetUp checks that a new line that can be paired says that it is not set up
// and sends nothing, until a program serves it.
func TestLineNotSetUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Connect("caWhatsApp")
		at := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "caWhatsApp"}
		if _, err := w.AddMessenger(t.Context(), w.Owner, at.LicenseID, at.Messenger, ""); err != nil {
			t.Fatal(err)
		}
		status, err := w.LineStatus(t.Context(), w.Reader, at)
		if err != nil || status.State != crm.StateNotSetUp || status.Connected || status.Via != crm.ViaNone || !strings.Contains(status.Detail, "pair") {
			t.Errorf("a new line is %+v, %v", status, err)
		}
		before := len(w.Events(t))
		for name, do := range sends(w, at) {
			err := do(t.Context())
			wantCode(t, name, err, crm.CodeUnavailable, "")
			if err != nil && !strings.Contains(err.Error(), "not set up") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if events := w.Events(t)[before:]; len(events) > 0 {
			t.Errorf("refused messages caused %q", names(events))
		}

		_, err = w.IngestAs(t.Context(), w.Operator, at, crm.InboundRequest{Messages: []crm.InboundMessage{}})
		wantCode(t, "an operator's announcement", err, crm.CodeDenied, "")
		_, err = w.IngestAs(t.Context(), w.Owner, at, crm.InboundRequest{})
		wantCode(t, "a request without any list", err, crm.CodeInvalid, "messages")
		if status, _ := w.LineStatus(t.Context(), w.Reader, at); status.State != crm.StateNotSetUp {
			t.Errorf("a refused call makes it %+v", status)
		}
		if _, err := w.IngestAs(t.Context(), w.Owner, at, crm.InboundRequest{Messages: []crm.InboundMessage{}}); err != nil {
			t.Errorf("an announcement: %v", err)
		}
		if status, err := w.LineStatus(t.Context(), w.Reader, at); err != nil || !status.Connected || status.Via != crm.ViaBridge {
			t.Errorf("a bridge is %+v, %v", status, err)
		}
		send(t, w, w.Operator, at, ann, saying("Hi"))
	})
}

// TestLineOfProgramsAlone checks that a line that cannot be paired is a bridge from the
// beginning: its program may listen and never bring anything.
func TestLineOfProgramsAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "viber"}
		if _, err := w.AddMessenger(t.Context(), w.Owner, at.LicenseID, at.Messenger, ""); err != nil {
			t.Fatal(err)
		}
		if status, err := w.LineStatus(t.Context(), w.Reader, at); err != nil || !status.Connected || status.Via != crm.ViaBridge {
			t.Errorf("a new line is %+v, %v", status, err)
		}
		for name, do := range sends(w, at) {
			if err := do(t.Context()); err != nil && strings.Contains(err.Error(), "not set up") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// sends are all the ways to send on a line.
func sends(w *crmtest.World, at crm.Line) map[string]func(context.Context) error {
	to := chatAt(at, ann)
	return map[string]func(context.Context) error{
		"a text": func(ctx context.Context) error {
			_, err := w.Send(ctx, w.Operator, to, saying("Hi"))
			return err
		},
		"a file": func(ctx context.Context) error {
			_, err := w.StoreUpload(ctx, w.Operator, to, "a.txt", "", strings.NewReader("a"))
			return err
		},
		"an edit": func(ctx context.Context) error {
			_, err := w.EditMessage(ctx, w.Operator, to, "A1", crm.Edit{Text: text("Hi")})
			return err
		},
		"typing": func(ctx context.Context) error { return w.Typing(ctx, w.Operator, to, crm.TypingText) },
	}
}

// TestFirstPairingAndSetUp checks that a line that is being paired says so, and that it
// falls back to what it was when nobody used the code.
func TestFirstPairingAndSetUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Connect("caWhatsApp")
		at := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "caWhatsApp"}
		if _, err := w.AddMessenger(t.Context(), w.Owner, at.LicenseID, at.Messenger, ""); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			set, want string
			device    string
		}{
			{crm.StatePairing, crm.StatePairing, ""},
			{crm.StatePasskey, crm.StatePasskey, ""},
			{crm.StateDisconnected, crm.StateNotSetUp, ""},
			{crm.StateConnected, crm.StateConnected, "1:7@s.whatsapp.net"},
			{crm.StateLoggedOut, crm.StateLoggedOut, ""},
		} {
			if err := w.SetLineState(t.Context(), at, crm.LineState{State: step.set, Device: &step.device, Detail: "Why " + step.set}); err != nil {
				t.Fatal(err)
			}
			if status, err := w.LineStatus(t.Context(), w.Owner, at); err != nil || status.State != step.want || status.Connected != (step.want == crm.StateConnected) ||
				!strings.HasPrefix(status.Detail, "Why "+step.set) {
				t.Errorf("after %s the line is %+v, %v, want %s", step.set, status, err, step.want)
			}
		}
	})
}

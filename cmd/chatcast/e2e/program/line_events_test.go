package program_test

import (
	"encoding/json"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// TestLineEvents checks that pairing codes come on an owner's own channel and not on the
// line's, and are not stored, and that the line's states are journalled.
func TestLineEvents(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	line, own := owner.Subscribe(e2e.LineChannel), owner.Subscribe("private-v1.users.685")
	on := crm.Line{LicenseID: 1229, Messenger: "grWhatsApp"}
	text := "2@a-live-secret"
	if err := p.Components().Rules.PublishQR(t.Context(), on, crm.Pairing{QR: &text, ExpiresAt: 1767000060}); err != nil {
		t.Fatal(err)
	}
	if err := p.Components().Rules.SetLineState(t.Context(), on, crm.LineState{State: crm.StatePairing}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		ws                   *e2e.Socket
		channel, event, data string
	}{
		{own, "private-v1.users.685", "qr", `{"payload":{"data":[{"qr":"2@a-live-secret","code":null,"expiresAt":1767000060,"passkey":null,"picture":"data:image/png;base64,iVBOR`},
		{line, e2e.LineChannel, "messengerStatus", `{"payload":{"data":[{"state":"pairing","connected":false,"phone":null,"detail":"Scan the QR code`},
	} {
		var frame struct{ Event, Channel, Data string }
		if err := want.ws.ReadJSON(&frame); err != nil {
			t.Fatal(err)
		}
		if frame.Event != want.event || frame.Channel != want.channel || !strings.HasPrefix(frame.Data, want.data) {
			t.Errorf("the socket got %+v, want %s %s", frame, want.event, want.data)
		}
	}
	journal, err := json.Marshal(owner.Events(e2e.LineChannel))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(journal), "messengerStatus") || strings.Contains(string(journal), "a-live-secret") {
		t.Errorf("the journal has %s", journal)
	}
}

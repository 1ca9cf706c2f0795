package program_test

import (
	"net/http"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestWhatsAppRefusesChanges checks that an edit and a deletion that WhatsApp refuses are
// undone, and that a first contact beyond the limit of the line is refused at once.
func TestWhatsAppRefusesChanges(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.WhatsApp.FirstContactsPerDay = 1
	w := e2e.StartPhones(t, &cfg)
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	if _, err := w.Shop.ScanQR(t.Context(), owner.PairingCode()); err != nil {
		t.Fatal(err)
	}
	owner.AwaitLine("connected")

	chat := e2e.WhatsAppPath + "/chats/79995554433"
	var sent struct{ ID string }
	owner.Must("POST", chat+"/messages/text", map[string]any{"text": "We have tea"}, &sent)
	owner.AwaitEvent("messageStatus", sent.ID, `"type":"sent"`)
	w.Shop.FailSends(479, 1)
	owner.Must("PATCH", chat+"/messages/"+sent.ID, map[string]any{"text": "We have none"}, nil)
	owner.AwaitEvent("messageEdit", sent.ID, `"text":"We have none"`, `"error":null`)
	owner.AwaitEvent("messageEdit", sent.ID, `"text":"We have tea"`, `"code":"rejected"`, `"edited":null`)
	w.Shop.FailSends(403, 1)
	owner.Must("DELETE", chat+"/messages/"+sent.ID, nil, nil)
	owner.AwaitEvent("messageEdit", sent.ID, `"text":"We have tea"`, `"code":"forbidden"`)
	if _, history := owner.Call("GET", chat+"/messages", nil); !strings.Contains(string(history), "We have tea") || strings.Contains(string(history), "We have none") {
		t.Errorf("the history is %s", history)
	}

	status, answer := owner.Call("POST", e2e.WhatsAppPath+"/chats/79995550000/messages/text", map[string]any{"text": "Buy tea!"})
	if status != http.StatusTooManyRequests || !strings.Contains(string(answer), "ApiTooManyRequestsError") {
		t.Errorf("the second stranger: %d %s", status, answer)
	}
	owner.Must("POST", chat+"/messages/text", map[string]any{"text": "Still there?"}, nil)
}

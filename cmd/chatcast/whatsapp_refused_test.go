package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestWhatsAppRefusesChanges: an edit and a deletion that WhatsApp refuses are
// taken back, and one stranger more than the settings let a line write to is
// refused at once.
func TestWhatsAppRefusesChanges(t *testing.T) {
	cfg := testConfig(t)
	cfg.WhatsApp.ColdPerDay = 1
	w := startPhones(t, &cfg)
	p := start(t, cfg)
	owner := p.signIn(t)
	if _, err := w.shop.ScanQR(t.Context(), owner.pairingCode()); err != nil {
		t.Fatal(err)
	}
	owner.awaitLine("connected")

	chat := whatsApp + "/chats/79995554433"
	var sent struct{ ID string }
	owner.must("POST", chat+"/messages/text", map[string]any{"text": "We have tea"}, &sent)
	owner.awaitEvent("messageStatus", sent.ID, `"type":"sent"`)
	w.shop.FailSends(479, 1)
	owner.must("PATCH", chat+"/messages/"+sent.ID, map[string]any{"text": "We have none"}, nil)
	owner.awaitEvent("messageEdit", sent.ID, `"text":"We have none"`, `"error":null`)
	owner.awaitEvent("messageEdit", sent.ID, `"text":"We have tea"`, `"code":"rejected"`, `"edited":null`)
	w.shop.FailSends(403, 1)
	owner.must("DELETE", chat+"/messages/"+sent.ID, nil, nil)
	owner.awaitEvent("messageEdit", sent.ID, `"text":"We have tea"`, `"code":"forbidden"`)
	if _, history := owner.call("GET", chat+"/messages", nil); !strings.Contains(string(history), "We have tea") || strings.Contains(string(history), "We have none") {
		t.Errorf("the history is %s", history)
	}

	status, answer := owner.call("POST", whatsApp+"/chats/79995550000/messages/text", map[string]any{"text": "Buy tea!"})
	if status != http.StatusTooManyRequests || !strings.Contains(string(answer), "ApiTooManyRequestsError") {
		t.Errorf("the second stranger: %d %s", status, answer)
	}
	owner.must("POST", chat+"/messages/text", map[string]any{"text": "Still there?"}, nil)
}

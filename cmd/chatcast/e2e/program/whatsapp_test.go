package program_test

import (
	"bytes"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestWhatsAppEndToEnd pairs by the QR code of the routes, exchanges messages and
// pictures with their statuses, and logs out.
func TestWhatsAppEndToEnd(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			cfg := e2e.Config(t)
			if database == "postgres" {
				cfg.Database.URL = testdb.EmptyPostgresURL(t)
			}
			w := e2e.StartPhones(t, &cfg)
			p := e2e.Start(t, cfg)
			owner := p.SignIn(t)

			code := owner.PairingCode()
			status, picture := owner.Call("GET", e2e.WhatsAppPath+"/qr?format=png", nil)
			if shown, err := png.Decode(bytes.NewReader(picture)); status != http.StatusOK || err != nil || shown.Bounds().Dx() < 100 {
				t.Errorf("the QR code's picture: %d, %v", status, err)
			}
			if _, err := w.Shop.ScanQR(t.Context(), code); err != nil {
				t.Fatal(err)
			}
			owner.AwaitLine("connected")
			owner.AwaitEvent("messengerStatus", `"state":"connected"`, `"phone":"79990001122"`)

			in := w.Anna.SendText(w.Shop, "Do you have tea?")
			owner.AwaitEvent("message", in, "Do you have tea?")
			var sent struct{ ID string }
			chat := e2e.WhatsAppPath + "/chats/79995554433"
			owner.Must("POST", chat+"/messages/text", map[string]any{"text": "We do", "quotedMessageId": in}, &sent)
			if got, err := w.Anna.AwaitText(t.Context(), "We do"); err != nil || got.ID != sent.ID {
				t.Fatalf("%+v, %v", got, err)
			}
			w.Anna.Read(w.Shop, sent.ID)
			for _, status := range []string{"sent", "delivered", "viewed"} {
				owner.AwaitEvent("messageStatus", sent.ID, `"type":"`+status+`"`)
			}
			owner.Must("PATCH", chat+"/read", nil, nil)
			if err := w.Anna.AwaitReceipt(t.Context(), in, "read"); err != nil {
				t.Error(err)
			}
			owner.PicturesBothWays(w, chat)

			owner.Must("DELETE", e2e.WhatsAppPath+"/session", nil, nil)
			owner.AwaitLine("logged_out")
			if n := w.Shop.Devices(); n != 0 {
				t.Errorf("%d devices are linked", n)
			}
			_, log := owner.Call("GET", "/v1/audit?action=line&limit=2", nil)
			for _, part := range []string{`"action":"line.loggedOut","actor":{"type":"user","id":685`, `"action":"line.paired","actor":{"type":"messenger","id":null`} {
				if !strings.Contains(string(log), part) {
					t.Errorf("the audit log lacks %s: %s", part, log)
				}
			}
			if status, answer := owner.Call("POST", chat+"/messages/text", map[string]any{"text": "?"}); status != http.StatusServiceUnavailable {
				t.Errorf("a logged-out line answers %d %s", status, answer)
			}
			if u := w.Unhandled(); len(u) > 0 {
				t.Errorf("the stand-in was asked for what it does not know: %q", u)
			}
		})
	}
}

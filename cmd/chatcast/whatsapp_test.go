package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/png"
	"mime/multipart"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/crm/whatsapp/standin"
	"chatcast/models/testdb"
)

// whatsAppSeed: whatsmeow trusts one root in a process, so all stand-ins of these
// tests have the same.
var whatsAppSeed = [32]byte{9}

// phones is a stand-in WhatsApp with a shop's account and a customer.
type phones struct {
	*standin.Server
	shop *standin.Account
	anna *standin.Contact
}

// startPhones starts a stand-in and points the configuration at it.
func startPhones(t *testing.T, cfg *Config) *phones {
	t.Helper()
	srv, err := standin.Start(standin.Options{RootSeed: whatsAppSeed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("closing the stand-in: %v", err)
		}
	})
	root := srv.Root()
	cfg.WhatsApp.Endpoint, cfg.WhatsApp.RootKey = srv.Addr(), hex.EncodeToString(root[:])
	return &phones{srv, srv.NewAccount("79990001122", "100200300", "Shop"), srv.NewContact("79995554433", "100200301", "Anna")}
}

// pairingCode is the text of the QR code that POST L/connect gives.
func (c *client) pairingCode() string {
	c.t.Helper()
	var code struct{ QR string }
	c.eventually("the line can be paired", func() bool {
		status, answer := c.call("POST", whatsApp+"/connect", nil)
		return status == http.StatusOK && json.Unmarshal(answer, &struct{ Data any }{&code}) == nil
	})
	return code.QR
}

// eventually waits for what the routes tell only when they are asked.
func (c *client) eventually(what string, done func() bool) {
	c.t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("waiting until %s", what)
		}
	}
}

func (c *client) awaitLine(state string) {
	c.t.Helper()
	c.eventually("the line is "+state, func() bool {
		_, answer := c.call("GET", whatsApp+"/status", nil)
		return strings.Contains(string(answer), `"state":"`+state+`"`)
	})
}

// item is the first item of an event, as JSON.
func (ev journalled) item() string { return string(ev.Data.Payload.Data[0]) }

// awaitEvent waits for an event of the line whose item holds all the parts, and
// returns the item.
func (c *client) awaitEvent(name string, parts ...string) (item string) {
	c.t.Helper()
	c.eventually(fmt.Sprintf("there is an event %s with %q", name, parts), func() bool {
		for _, ev := range c.events(lineChannel) {
			text := ev.item()
			missing := func(part string) bool { return !strings.Contains(text, part) }
			if ev.Event == name && !slices.ContainsFunc(parts, missing) {
				item = text
				return true
			}
		}
		return false
	})
	return item
}

// TestWhatsAppEndToEnd: pair by the QR code of the routes, talk, send pictures, see
// how far they got, log out.
func TestWhatsAppEndToEnd(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			cfg := testConfig(t)
			if database == "postgres" {
				cfg.Database.URL = testdb.EmptyPostgresURL(t)
			}
			w := startPhones(t, &cfg)
			p := start(t, cfg)
			owner := p.signIn(t)

			code := owner.pairingCode()
			status, picture := owner.call("GET", whatsApp+"/qr?format=png", nil)
			if shown, err := png.Decode(bytes.NewReader(picture)); status != http.StatusOK || err != nil || shown.Bounds().Dx() < 100 {
				t.Errorf("the QR code's picture: %d, %v", status, err)
			}
			if _, err := w.shop.ScanQR(t.Context(), code); err != nil {
				t.Fatal(err)
			}
			owner.awaitLine("connected")
			owner.awaitEvent("messengerStatus", `"state":"connected"`, `"phone":"79990001122"`)

			in := w.anna.SendText(w.shop, "Do you have tea?")
			owner.awaitEvent("message", in, "Do you have tea?")
			var sent struct{ ID string }
			chat := whatsApp + "/chats/79995554433"
			owner.must("POST", chat+"/messages/text", map[string]any{"text": "We do", "quotedMessageId": in}, &sent)
			if got, err := w.anna.AwaitText(t.Context(), "We do"); err != nil || got.ID != sent.ID {
				t.Fatalf("%+v, %v", got, err)
			}
			w.anna.Read(w.shop, sent.ID)
			for _, status := range []string{"sent", "delivered", "viewed"} {
				owner.awaitEvent("messageStatus", sent.ID, `"type":"`+status+`"`)
			}
			owner.must("PATCH", chat+"/read", nil, nil)
			if err := w.anna.AwaitReceipt(t.Context(), in, "read"); err != nil {
				t.Error(err)
			}
			owner.picturesBothWays(w, chat)

			owner.must("DELETE", whatsApp+"/session", nil, nil)
			owner.awaitLine("logged_out")
			if n := w.shop.Devices(); n != 0 {
				t.Errorf("%d devices are linked", n)
			}
			if status, answer := owner.call("POST", chat+"/messages/text", map[string]any{"text": "?"}); status != http.StatusServiceUnavailable {
				t.Errorf("a logged-out line answers %d %s", status, answer)
			}
			if u := w.Unhandled(); len(u) > 0 {
				t.Errorf("the stand-in was asked for what it does not know: %q", u)
			}
		})
	}
}

// picturesBothWays: one comes, and its link works at once; one goes out.
func (c *client) picturesBothWays(w *phones, chat string) {
	c.t.Helper()
	picture := "\x89PNG\r\n\x1a\n" + strings.Repeat("pixels ", 1000)
	id := w.anna.Send(w.shop, w.Upload([]byte(picture), whatsmeow.MediaImage).Image("look", "image/png"))
	var item struct {
		Message struct{ File struct{ Link string } }
	}
	if err := json.Unmarshal([]byte(c.awaitEvent("message", id, `"caption":"look"`)), &item); err != nil {
		c.t.Fatal(err)
	}
	if status, file := get(c.t, item.Message.File.Link); status != http.StatusOK || file != picture {
		c.t.Errorf("the picture's link answers %d with %d bytes", status, len(file))
	}

	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	for _, write := range []func() error{
		func() error { return parts.WriteField("caption", "our cat") },
		func() error {
			file, err := parts.CreateFormFile("file", "cat.png")
			if err == nil {
				_, err = file.Write([]byte(picture))
			}
			return err
		},
		parts.Close,
	} {
		if err := write(); err != nil {
			c.t.Fatal(err)
		}
	}
	req, err := http.NewRequest("POST", c.base+chat+"/messages/file", &form)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", c.token)
	req.Header.Set("Content-Type", parts.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	got, err := w.anna.AwaitText(c.t.Context(), "our cat")
	if err != nil {
		c.t.Fatal(err)
	}
	if b, err := w.Open(got.Attachment()); err != nil || string(b) != picture {
		c.t.Errorf("%d bytes arrived, %v", len(b), err)
	}
}

// TestStandInIsNotInTheProgram: it is for tests and the demo alone.
func TestStandInIsNotInTheProgram(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "go.mau.fi/whatsmeow\n") || strings.Contains(string(out), "standin") {
		t.Error("the program must have whatsmeow in it, and no stand-in")
	}
}

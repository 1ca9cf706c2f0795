package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm/whatsapp/whatsapptest"
)

// WhatsAppSeed is the seed of all stand-ins of these tests: whatsmeow trusts one root
// per process.
var WhatsAppSeed = [32]byte{9}

// Phones is a stand-in WhatsApp with a shop's account and a customer.
type Phones struct {
	*whatsapptest.Server
	Shop *whatsapptest.Account
	Anna *whatsapptest.Contact
}

// StartPhones starts a stand-in and points the configuration to it.
func StartPhones(t *testing.T, cfg *config.Config) *Phones {
	t.Helper()
	srv, err := whatsapptest.Start(whatsapptest.Options{RootSeed: WhatsAppSeed})
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
	return &Phones{srv, srv.NewAccount("79990001122", "100200300", "Shop"), srv.NewContact("79995554433", "100200301", "Anna")}
}

// PairingCode returns the text of the QR code that POST /connect answers.
func (c *Client) PairingCode() string {
	c.T.Helper()
	var code struct{ QR string }
	c.Eventually("the line can be paired", func() bool {
		status, answer := c.Call("POST", WhatsAppPath+"/connect", nil)
		return status == http.StatusOK && json.Unmarshal(answer, &struct{ Data any }{&code}) == nil && code.QR != ""
	})
	return code.QR
}

// Eventually polls until done, for states that routes report but do not broadcast.
func (c *Client) Eventually(what string, done func() bool) {
	c.T.Helper()
	deadline, tick := time.After(testwait.Long), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			c.T.Fatalf("waiting until %s", what)
		}
	}
}

// AwaitLine waits until the line is in the given state.
func (c *Client) AwaitLine(state string) {
	c.T.Helper()
	c.Eventually("the line is "+state, func() bool {
		_, answer := c.Call("GET", WhatsAppPath+"/status", nil)
		return strings.Contains(string(answer), `"state":"`+state+`"`)
	})
}

// Item returns the first item of an event, as JSON.
func (ev Journalled) Item() string { return string(ev.Data.Payload.Data[0]) }

// AwaitEvent waits for an event of the line whose first item contains all the parts,
// and returns the item.
func (c *Client) AwaitEvent(name string, parts ...string) (item string) {
	c.T.Helper()
	c.Eventually(fmt.Sprintf("there is an event %s with %q", name, parts), func() bool {
		for _, ev := range c.Events(LineChannel) {
			text := ev.Item()
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

// PicturesBothWays receives a picture, whose link must work at once, and sends one.
func (c *Client) PicturesBothWays(w *Phones, chat string) {
	c.T.Helper()
	picture := "\x89PNG\r\n\x1a\n" + strings.Repeat("pixels ", 1000)
	id := w.Anna.Send(w.Shop, w.Upload([]byte(picture), whatsmeow.MediaImage).Image("look", "image/png"))
	var item struct {
		Message struct{ File struct{ Link string } }
	}
	if err := json.Unmarshal([]byte(c.AwaitEvent("message", id, `"caption":"look"`)), &item); err != nil {
		c.T.Fatal(err)
	}
	if status, file := Get(c.T, item.Message.File.Link); status != http.StatusOK || file != picture {
		c.T.Errorf("the picture's link answers %d with %d bytes", status, len(file))
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
			c.T.Fatal(err)
		}
	}
	req, err := http.NewRequest("POST", c.Base+chat+"/messages/file", &form)
	if err != nil {
		c.T.Fatal(err)
	}
	req.Header.Set("Authorization", c.Token)
	req.Header.Set("Content-Type", parts.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	resp.Body.Close()
	got, err := w.Anna.AwaitText(c.T.Context(), "our cat")
	if err != nil {
		c.T.Fatal(err)
	}
	if b, err := w.Open(got.Attachment()); err != nil || string(b) != picture {
		c.T.Errorf("%d bytes arrived, %v", len(b), err)
	}
}

package whatsapptest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestPairByPasskey checks that the server takes a passkey's answer only when it is made
// for its question, and that the phone and the client show the same code.
func TestPairByPasskey(t *testing.T) {
	w := newWorld(t)
	key := w.shop.RequirePasskey(whatsapptest.PasskeyOptions{Ignored: 1})
	c := w.newClient(t)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	text := await[*events.QR](c, nil).Codes[0]
	scanned := make(chan error, 1)
	go func() {
		_, err := w.shop.ScanQR(testwait.Context(t), text)
		scanned <- err
	}()
	challenge := base64.RawURLEncoding.EncodeToString(await[*events.PairPasskeyRequest](c, nil).PublicKey.Challenge)
	answer := func(s whatsapptest.Signing) error {
		response := new(types.WebAuthnResponse)
		if err := json.Unmarshal(key.Sign(s), response); err != nil {
			t.Fatal(err)
		}
		return c.SendPasskeyResponse(testwait.Context(t), response)
	}
	for name, s := range map[string]whatsapptest.Signing{
		"another challenge": {Challenge: "AAAA"}, "another page": {Challenge: challenge, Origin: "https://example.com"},
		"another site": {Challenge: challenge, Site: "example.com"}, "nobody was verified": {Challenge: challenge, Flags: 1},
	} {
		if err := answer(s); !errors.Is(err, whatsmeow.ErrIQForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 { // the first one never comes to the phone
		if err := answer(whatsapptest.Signing{Challenge: challenge}); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := key.AwaitCode(testwait.Context(t))
	if e := await[*events.PairPasskeyConfirmation](c, nil); err != nil || e.Code != shown || e.SkipHandoffUX {
		t.Errorf("the phone shows %s, %v, the client %+v", shown, err, e)
	}
	if err := c.SendPasskeyConfirmation(testwait.Context(t)); err != nil {
		t.Fatal(err)
	}
	if err := <-scanned; err != nil {
		t.Fatal(err)
	}
	await[*events.Connected](c, nil)
	w.sound(t)
}

package whatsapptest_test

import (
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestTokens sends messages as the token that fits changes: none, one made with the salt
// of the account, and the contact's own.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	say := func(text, want string) {
		t.Helper()
		if _, err := c.say(w.anna.Number(), text); err != nil {
			t.Fatal(err)
		}
		if got, err := w.anna.AwaitText(testwait.Context(t), text); err != nil || got.Token != want {
			t.Errorf("%s came with the token %q, %v", text, got.Token, err)
		}
	}
	say("as strangers", "")
	if err := w.shop.AwaitIssued(testwait.Context(t), w.anna); err != nil {
		t.Error(err)
	}
	w.shop.SetSalt([]byte("a salt of the account that is 32"))
	if err := w.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Fatal(err)
	}
	// The app state is fetched after the notification was acknowledged.
	awaitStored(t, func() bool {
		salt, err := c.Store.NCTSalt.GetNCTSalt(t.Context())
		return err == nil && len(salt) > 0
	})
	say("with the salt", whatsapptest.ContactSalt)
	w.anna.Trust(w.shop)
	awaitStored(t, func() bool {
		token, err := c.Store.PrivacyTokens.GetPrivacyToken(t.Context(), w.anna.HiddenID())
		return err == nil && token != nil
	})
	say("with a token", whatsapptest.TrustedContact)
	w.sound(t)
}

func awaitStored(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx := testwait.Context(t); !done(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it is not stored")
		}
	}
}

// TestEverythingIsAcknowledged delivers what a client cannot use.
func TestEverythingIsAcknowledged(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	malformed := w.anna.SendWithoutTime(w.shop)
	w.NewChannel("News").PostStatus(w.shop, whatsapptest.Text("news of a channel"))
	w.shop.Announce("SomethingNew", map[string]any{"xwa2_notify_something_new": true})
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	w.shop.Lock(until)
	await(c, func(e *events.NotifyAccountReachoutTimelock) bool {
		return e.IsActive && e.TimeEnforcementEnds.Equal(until)
	})
	if err := w.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Fatal(err)
	}
	if n := w.shop.Nacks(); len(n) != 1 || n[0] != (whatsapptest.Nack{ID: malformed, Code: whatsmeow.NackParsingError}) {
		t.Errorf("%+v", n)
	}
	w.sound(t)
}

// TestUnifiedSession checks the id that clients send when they come online. They also send
// one when they were paired, but at the moment at which WhatsApp ends that connection: it
// may be lost.
func TestUnifiedSession(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	paired := w.UnifiedSessions()
	if err := c.SendPresence(t.Context(), types.PresenceAvailable); err != nil {
		t.Fatal(err)
	}
	awaitStored(t, func() bool { return w.UnifiedSessions() > paired })
	w.sound(t)
}

// TestCertificateOutOfTime checks that clients refuse a server whose certificates are not
// valid yet or not any more.
func TestCertificateOutOfTime(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	for want, from := range map[string]time.Time{"certificate expired": now.Add(-48 * time.Hour), "not valid yet": now.Add(time.Hour)} {
		if err := w.Certify(from, from.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := w.newClient(t).Connect(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestRotatedSecret checks that a code is worth nothing after the client had to change its
// secret, and the next one is.
func TestRotatedSecret(t *testing.T) {
	w := newWorld(t)
	c := w.newClient(t)
	codes, err := c.GetQRChannel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	first := (<-codes).Code
	w.RotateSecrets()
	second := (<-codes).Code
	if first == second {
		t.Fatal("the code is the same")
	}
	if _, err := w.shop.ScanQR(testwait.Context(t), second); err != nil {
		t.Fatal(err)
	}
	await[*events.Connected](c, nil)
	w.sound(t)
}

package webhook_test

import (
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"chatcast/crm"
	"chatcast/crm/webhook"
	"chatcast/models/testdb"
)

// TestRotated checks that after a rotation events are signed with both secrets, and later
// with the new one alone.
func TestRotated(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{})
	w.run()
	r := newReceiver(t)
	d := w.set(line, crm.CallbackInput{URL: r.url})
	rotated, err := w.RotateCallback(t.Context(), w.Admin, d.ID)
	if err != nil || rotated.Secret == "" || rotated.Secret == d.Secret {
		t.Fatalf("rotated: %+v, %v", rotated, err)
	}
	r.secret = rotated.Secret
	old, err := standardwebhooks.NewWebhook(d.Secret)
	if err != nil {
		t.Fatal(err)
	}
	w.happen(line, "79990001122@c.us", 1)
	r.wants(1)
	if err := old.Verify([]byte(r.bodies[0]), r.header); err != nil || strings.Count(r.header.Get("Webhook-Signature"), "v1,") != 2 {
		t.Errorf("with the secret before: %v, %v", err, r.header)
	}
	w.Clock.Advance(crm.CallbackOverlap)
	w.happen(line, "79990001122@c.us", 1)
	r.wants(1, 2)
	if err := old.Verify([]byte(r.bodies[1]), r.header); err == nil {
		t.Error("the secret before signs for ever")
	}
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if row, err := w.Store.Read(t.Context()).CallbackURL(d.ID); err != nil || row.OldSecret != "" || row.OldSecretUntil != 0 || row.Secret != rotated.Secret {
		t.Errorf("swept, it has %+v, %v", row, err)
	}
}

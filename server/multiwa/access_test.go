package multiwa_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/channels"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestReplay checks that a socket that names its last event gets the later ones in order,
// without a gap and none twice, and that one whose events are gone is told so.
func TestReplay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		profile, key := h.profileOf(t, onGr), h.key(t, onGr).Key
		first := h.connect(t, key)
		first.subscribe(profile, `["message.received"]`)
		last := 0
		next := func(c *client) (body string) {
			var ev struct {
				Payload struct {
					EventID int
					Data    struct{ Body string }
				}
			}
			if err := json.Unmarshal([]byte(c.read()), &ev); err != nil {
				t.Fatal(err)
			}
			if ev.Payload.EventID <= last {
				t.Errorf("event %d comes after %d", ev.Payload.EventID, last)
			}
			last = ev.Payload.EventID
			return ev.Payload.Data.Body
		}
		h.say(t, onGr, "3A00", "0")
		if got := next(first); got != "0" {
			t.Fatalf("the first is %s", got)
		}
		_ = first.ws.Close()
		for i := 1; i <= 30; i++ {
			h.say(t, onGr, fmt.Sprintf("3A%02d", i), fmt.Sprint(i))
		}
		h.settle(t)
		again := h.connect(t, key)
		again.subscribe(profile, `["message.received"]`, fmt.Sprintf(`,"lastEventId":"%d"`, last))
		for i := 1; i <= 30; i++ {
			if got := next(again); got != fmt.Sprint(i) {
				t.Fatalf("after %d comes %s", i-1, got)
			}
		}
		if got := again.read(); got != fmt.Sprintf(`{"type":"ack","payload":{"action":"replayed","profileId":"%s","lastEventId":%d}}`, profile, last) {
			t.Errorf("after the replay: %s", got)
		}
		h.say(t, onGr, "3A31", "31")
		if got := next(again); got != "31" {
			t.Errorf("live: %s", got)
		}

		if _, err := h.Journal.Prune(t.Context(), h.Now().Add(time.Hour), 1000); err != nil {
			t.Fatal(err)
		}
		late := h.connect(t, key)
		late.subscribe(profile, `["*"]`, `,"lastEventId":1`)
		if got := late.read(); !strings.HasPrefix(got, `{"type":"error","payload":{"error":"Events were missed: they are no longer kept","profileId":"`+profile+`","oldestEventId":`) {
			t.Errorf("after a gap: %s", got)
		}
	})
}

// TestRevokedKey checks that a revocation ends the sockets of a key at once, and of no other.
func TestRevokedKey(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		profile := h.profileOf(t, onGr)
		made := h.key(t, onGr)
		c, idle, stays := h.connect(t, made.Key), h.connect(t, made.Key), h.connect(t, h.key(t, crm.Line{}).Key)
		c.subscribe(profile, `["*"]`)
		stays.subscribe(profile, `["message"]`)
		began := time.Now()
		if err := h.RevokeKey(t.Context(), h.Owner, made.ID); err != nil {
			t.Fatal(err)
		}
		for _, gone := range []*client{c, idle} {
			if code, text := gone.closed(); code != 4001 || text != "The API key was revoked" {
				t.Errorf("closed with %d %s", code, text)
			}
		}
		if took := time.Since(began); took > time.Second+testwait.Long/60 { // much more only where the machine itself is slow
			t.Errorf("the sockets were closed after %v", took)
		}
		if status, _ := h.refused(t, "?apiKey="+made.Key, nil); status != 401 {
			t.Errorf("the revoked key gets %d", status)
		}
		h.say(t, onGr, "3A01", "Hello")
		stays.expect(received("message", profile, "3A01", "Hello", 1))
	})
}

// TestRemovedProfile checks that a socket of a company's key is told that a profile has gone.
func TestRemovedProfile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		made, err := h.CreateInstance(t.Context(), h.Owner, crm.InstanceInput{CompanyID: crmtest.CompanyID, Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		c := h.connect(t, h.key(t, crm.Line{}).Key)
		c.subscribe(made.ID, `["*"]`)
		if err := h.DeleteInstance(t.Context(), h.Owner, "shop"); err != nil {
			t.Fatal(err)
		}
		c.expect(`{"type":"error","payload":{"error":"Access to the profile was withdrawn","profileId":"` + made.ID + `"}}`)
		c.send(`{"type":"subscribe","payload":{"profileId":"` + made.ID + `","events":["*"]}}`)
		c.expect(`{"type":"error","payload":{"error":"Profile not found"}}`)
	})
}

// TestRights checks what keys with fewer rights get.
func TestRights(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		profile := h.profileOf(t, onGr)
		send := h.connect(t, h.key(t, onGr, crm.KeySend).Key)
		send.send(`{"type":"subscribe","payload":{"profileId":"` + profile + `","events":["*"]}}`)
		send.expect(`{"type":"error","payload":{"error":"Profile not found"}}`)
		reads, manages := h.connect(t, h.key(t, onGr, crm.KeyRead).Key), h.connect(t, h.key(t, crm.Line{}, crm.KeyRead, crm.KeyManage).Key)
		reads.subscribe(profile, `["*"]`)
		manages.subscribe(profile, `["qr:update"]`)
		code := "2@abc"
		if err := h.PublishQR(t.Context(), onGr, crm.Pairing{QR: &code, ExpiresAt: crmtest.Start}); err != nil {
			t.Fatal(err)
		}
		if got := manages.read(); !strings.HasPrefix(got, `{"type":"event","payload":{"event":"qr:update","profileId":"`+profile+`","data":{"qr":"data:image/png;base64,`) ||
			!strings.Contains(got, `","code":"2@abc","expiresAt":"2021-11-19T10:55:00.000Z"}`) || strings.Contains(got, "eventId") {
			t.Errorf("the code: %s", got)
		}
		reads.silence()
		manages.subscribe(profile, `["message"]`) // no longer
		if err := h.PublishQR(t.Context(), onGr, crm.Pairing{QR: &code, ExpiresAt: crmtest.Start}); err != nil {
			t.Fatal(err)
		}
		manages.silence()
		if n := len(must(h.engine.Channels(t.Context(), "1", channels.PairingName(onGr.LicenseID, onGr.Messenger)))); n != 0 {
			t.Error("somebody is still in the channel of the codes")
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

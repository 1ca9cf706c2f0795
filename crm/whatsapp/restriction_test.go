package whatsapp

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"go.mau.fi/util/jsontime"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestLockedAccount checks that while WhatsApp has locked the account for new people,
// first messages wait, also over a restart, and answers are sent. When the lock ends
// before its time, what waited is sent at once.
func TestLockedAccount(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		h.anna.SendText(h.shop, "Do you have tea?")
		h.awaitItem(t, crm.EventMessage, "Do you have tea?")
		until := time.Now().Add(time.Hour).Truncate(time.Second)
		h.shop.Lock(until)
		h.awaitItem(t, crm.EventMessengerStatus, `"state":"connected"`, `"restrictedUntil":`+fmt.Sprint(until.Unix()))
		if st, err := h.LineStatus(t.Context(), h.Owner, testLine); err != nil || st.RestrictedUntil == nil || *st.RestrictedUntil != until.Unix() {
			t.Errorf("the line is %+v, %v", st, err)
		}
		if _, err := h.CreateChat(t.Context(), h.Operator, testLine, crm.ChatInput{Phone: crm.Value(bob.Number().User)}); err != nil {
			t.Fatal(err)
		}
		first, err := h.Send(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: bob.Number().User + "@c.us"}, crm.Outgoing{
			Type: crm.MessageText, Content: crm.Content{Text: "Hello, Bob"},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do"}})
		if _, err := h.anna.AwaitText(testwait.Context(t), "We do"); err != nil {
			t.Fatal(err)
		}
		h.awaitParked(t, first.ID.String(), until)
		h.stop()
		h.m, h.stop = h.node(t, h.Service)
		h.Service.Messengers[Type] = h.m
		eventually(t, "the account does not come back", h.shop.Online)
		h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "Green or black?"}})
		if _, err := h.anna.AwaitText(testwait.Context(t), "Green or black?"); err != nil {
			t.Fatal(err)
		}
		h.awaitParked(t, first.ID.String(), until)
		if n := len(bob.Inbox()); n != 0 {
			t.Errorf("%d messages reached Bob", n)
		}
		h.shop.Lock(time.Time{})
		h.awaitItem(t, crm.EventMessengerStatus, `"state":"connected"`, `"restrictedUntil":null`)
		if got, err := bob.AwaitText(testwait.Context(t), "Hello, Bob"); err != nil || got.ID != first.ID.String() || got.Copies != 1 {
			t.Errorf("Bob got %+v, %v", got, err)
		}
		h.awaitItem(t, crm.EventMessageStatus, first.ID.String(), `"type":"sent"`)
	})
}

// awaitParked waits until a message waits for the given time.
func (h *harness) awaitParked(t *testing.T, id string, until time.Time) {
	t.Helper()
	eventually(t, "the message does not wait", func() bool {
		items, err := h.Outbox(context.Background(), testLine, someday, 0, 10)
		return err == nil && len(items) == 1 && items[0].Message.ID == id && items[0].NotBefore.Equal(until) && items[0].Deadline.After(until)
	})
}

// TestLockThatWasNotSeen checks that a message that WhatsApp refuses just when it
// announces a lock waits too, although it was under way.
func TestLockThatWasNotSeen(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := w.rules.SetLineRestriction(t.Context(), testLine, new(until.Unix())); err != nil {
		t.Fatal(err)
	}
	w.shop.FailSends(463, 1)
	w.say("3EB0A1", "a second message to somebody who never answered")
	err := w.rules.await(testwait.Context(t), "the message to wait", func() bool {
		return len(w.rules.outbox) == 1 && w.rules.outbox[0].NotBefore.Equal(until)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	if len(w.rules.outcomes) > 0 {
		t.Errorf("%+v", w.rules.outcomes)
	}
}

func TestLockEnd(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(d time.Duration) jsontime.UnixString { return jsontime.UnixString{Time: now.Add(d)} }
	for what, c := range map[string]struct {
		e    events.NotifyAccountReachoutTimelock
		want time.Duration // from now; 0: no lock
	}{
		"over":                {events.NotifyAccountReachoutTimelock{}, 0},
		"over, with end":      {events.NotifyAccountReachoutTimelock{TimeEnforcementEnds: at(time.Hour)}, 0},
		"for an hour":         {events.NotifyAccountReachoutTimelock{IsActive: true, TimeEnforcementEnds: at(time.Hour)}, time.Hour},
		"ends in the past":    {events.NotifyAccountReachoutTimelock{IsActive: true, TimeEnforcementEnds: at(-time.Second)}, 0},
		"without an end":      {events.NotifyAccountReachoutTimelock{IsActive: true}, unknownLock},
		"the end is 0":        {events.NotifyAccountReachoutTimelock{IsActive: true, TimeEnforcementEnds: jsontime.UnixString{Time: time.Unix(0, 0)}}, unknownLock},
		"the end is negative": {events.NotifyAccountReachoutTimelock{IsActive: true, TimeEnforcementEnds: at(-200 * 365 * 24 * time.Hour)}, unknownLock},
		"for a century":       {events.NotifyAccountReachoutTimelock{IsActive: true, TimeEnforcementEnds: at(100 * 365 * 24 * time.Hour)}, longestLock},
	} {
		got := lockEnd(&c.e, now)
		if (got == nil) != (c.want == 0) || got != nil && *got != now.Add(c.want).Unix() {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestMissingToken checks that a message which WhatsApp refuses because it lacks a token
// is sent again with one, and that it fails when there is none to be had.
func TestMissingToken(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.token = testwait.Long
	})
	bob := w.NewContact("79991112233", "555666777", "Bob")
	bob.Silence(true)
	w.pair(t)
	w.shop.RequireTokens(true)
	w.say("3EB0B1", "Hello, Anna")
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutSent {
		t.Errorf("%+v, %+v", o, o.Error)
	}
	if got, err := w.anna.AwaitText(testwait.Context(t), "Hello, Anna"); err != nil || got.Token != whatsapptest.TrustedContact || got.ID != "3EB0B1" || got.Copies != 1 {
		t.Errorf("it came as %+v, %v", got, err)
	}
	toBob := func(id, text string) crm.Outcome {
		t.Helper()
		w.rules.mu.Lock()
		n := len(w.rules.outcomes)
		w.rules.mu.Unlock()
		w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, FirstContact: true, ChatID: "79991112233@c.us", Message: &crm.MessageRef{
			ID: id, FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: text},
		}})
		return w.awaitOutcome(t, n+1)
	}
	w.stop()
	impatient := func(o *Options) { // Bob gives no token, however long one waits
		o.times = patient
		o.times.token = 500 * time.Millisecond
	}
	w.start(t, impatient)
	w.awaitServed(t, true)
	if o := toBob("3EB0B2", "without any token"); o.Status != crm.OutFailed || o.Error.Code != codeReachout {
		t.Errorf("%+v, %+v", o, o.Error)
	}

	// A line that was paired by an earlier version has read past the salt.
	w.shop.SetSalt([]byte("a salt of the account that is 32"))
	nct := w.m.serving(testLine).client().Store.NCTSalt
	eventually(t, "the salt is not stored", func() bool {
		salt, err := nct.GetNCTSalt(t.Context())
		return err == nil && len(salt) > 0
	})
	w.stop()
	w.forgetSalt(t)
	w.start(t, impatient)
	w.awaitState(t, crm.StateConnected)
	if o := toBob("3EB0B3", "with the salt"); o.Status != crm.OutSent {
		t.Errorf("%+v, %+v", o, o.Error)
	}
	if got, err := bob.AwaitText(testwait.Context(t), "with the salt"); err != nil || got.Token != whatsapptest.ContactSalt {
		t.Errorf("it came as %+v, %v", got, err)
	}
	w.sound(t)
}

// TestRottenToken checks that a message which WhatsApp refuses in spite of a person's token is
// sent again with one that is made of the salt, or with a new token, and that the old one
// is not used again.
func TestRottenToken(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.token = testwait.Long
	})
	w.pair(t)
	trusts := func() {
		t.Helper()
		eventually(t, "the token is not stored", func() bool { // whatsmeow may write the one of before over one of the same second
			w.anna.Trust(w.shop)
			return hasToken(t.Context(), w.m.serving(testLine).client(), w.anna.HiddenID())
		})
	}
	trusts()
	token := func(id, text string) string {
		t.Helper()
		w.say(id, text)
		got, err := w.anna.AwaitText(testwait.Context(t), text)
		if err != nil || got.Copies != 1 || got.ID != id {
			t.Fatalf("it came as %+v, %v", got, err)
		}
		return got.Token
	}
	if got := token("3EB0D1", "with the first token"); got != whatsapptest.TrustedContact {
		t.Errorf("at first with %q", got)
	}
	w.anna.Distrust(w.shop)
	w.say("3EB0D2", "with a new token")
	eventually(t, "the message is not refused", func() bool {
		rotten := false
		w.m.serving(testLine).rotten.Range(func(any, any) bool { rotten = true; return false })
		return rotten
	})
	trusts()
	if got, err := w.anna.AwaitText(testwait.Context(t), "with a new token"); err != nil || got.Token != whatsapptest.TrustedContact || got.Copies != 1 {
		t.Errorf("it came as %+v, %v", got, err)
	}
	w.shop.SetSalt([]byte("a salt of the account that is 32"))
	nct := w.m.serving(testLine).client().Store.NCTSalt
	eventually(t, "the salt is not stored", func() bool {
		salt, err := nct.GetNCTSalt(t.Context())
		return err == nil && len(salt) > 0
	})
	w.anna.Distrust(w.shop)
	for i, text := range []string{"with the salt", "with the salt at once"} {
		if got := token(fmt.Sprint("3EB0D", i+3), text); got != whatsapptest.ContactSalt {
			t.Errorf("%s: with %q", text, got)
		}
	}
	w.sound(t)
}

// TestRefusedAnswer checks that a message to a person who has written does not wait for the
// end of a lock when WhatsApp refuses it: it fails, and the operator knows.
func TestRefusedAnswer(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SendText(h.shop, "Do you have tea?")
		h.awaitItem(t, crm.EventMessage, "Do you have tea?")
		until := time.Now().Add(time.Hour).Unix()
		if err := h.SetLineRestriction(t.Context(), testLine, &until); err != nil {
			t.Fatal(err)
		}
		h.shop.FailSends(463, 1)
		id := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do"}})
		h.awaitItem(t, crm.EventMessageStatus, id, `"failed"`, `"reachout_locked"`)
		h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do have tea"}})
		if _, err := h.anna.AwaitText(testwait.Context(t), "We do have tea"); err != nil {
			t.Fatal(err)
		}
	}, func(o *Options) { o.times.token = 100 * time.Millisecond })
}

// TestTokensOutliveTheDevice checks that an account that is logged out and paired again
// is not a stranger to the people whom it knew.
func TestTokensOutliveTheDevice(t *testing.T) {
	for name, opt := range map[string]func(*Options){"sealed": func(*Options) {}, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, opt)
			w.pair(t)
			w.anna.SendText(w.shop, "hello")
			w.awaitText(t, "hello")
			w.anna.Trust(w.shop)
			eventually(t, "the token is not stored", func() bool { return hasToken(t.Context(), w.m.serving(testLine).client(), w.anna.HiddenID()) })
			for i, leave := range []func(){
				func() {
					if err := w.m.Logout(t.Context(), testLine); err != nil {
						t.Fatal(err)
					}
				},
				func() { w.shop.Unlink(); w.awaitState(t, crm.StateLoggedOut); w.awaitServed(t, false) },
			} {
				leave()
				w.pair(t)
				text := []string{"after a logout", "after being unlinked"}[i]
				w.say("3EB0C"+fmt.Sprint(i), text)
				if got, err := w.anna.AwaitText(testwait.Context(t), text); err != nil || got.Token != whatsapptest.TrustedContact {
					t.Errorf("%s, it came as %+v, %v", text, got, err)
				}
			}
			w.sound(t)
		})
	}
}

// change runs a statement on the database, which must change something.
func (w *world) change(t *testing.T, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.db+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	done, err := db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// TestRottenInheritance pairs an account again whose salt and one of whose tokens cannot be
// opened any more. The other token counts, and neither pairing nor logging out fails.
func TestRottenInheritance(t *testing.T) {
	for name, rot := range map[string]string{
		"the salt that was left":  "UPDATE whatsapp_contact_salts SET salt = x'0102'",
		"a token that was left":   "UPDATE whatsmeow_privacy_tokens SET token = x'0102' WHERE their_jid LIKE '100200999@%'",
		"the owner of a token":    "UPDATE whatsmeow_privacy_tokens SET their_jid = 'a.b.c@x' WHERE their_jid LIKE '100200999@%'",
		"sealed for another line": "UPDATE whatsmeow_privacy_tokens SET token = (SELECT o.token FROM whatsmeow_privacy_tokens o WHERE o.their_jid NOT LIKE '100200999@%') WHERE their_jid LIKE '100200999@%'",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			dora := w.NewContact("79993334455", "100200999", "Dora")
			for _, who := range []*whatsapptest.Contact{w.anna, dora} {
				text := "hello from " + who.Number().User
				who.SendText(w.shop, text)
				w.awaitText(t, text)
				who.Trust(w.shop)
				eventually(t, "the token is not stored", func() bool { return hasToken(t.Context(), w.m.serving(testLine).client(), who.HiddenID()) })
			}
			salted := func() {
				t.Helper()
				if err := w.m.serving(testLine).client().Store.NCTSalt.PutNCTSalt(t.Context(), []byte("salt")); err != nil {
					t.Fatal(err)
				}
			}
			salted()
			if err := w.m.Logout(t.Context(), testLine); err != nil {
				t.Fatal(err)
			}
			w.change(t, rot)
			w.pair(t)
			w.say("3EB0C1", "after a logout")
			if got, err := w.anna.AwaitText(testwait.Context(t), "after a logout"); err != nil || got.Token != whatsapptest.TrustedContact {
				t.Errorf("it came as %+v, %v", got, err)
			}
			salted()
			w.change(t, "UPDATE whatsmeow_nct_salt SET salt = x'0102'")
			if err := w.m.Logout(t.Context(), testLine); err != nil {
				t.Errorf("log out with a salt that cannot be opened: %v", err)
			}
			w.pair(t)
			w.sound(t)
		})
	}
}

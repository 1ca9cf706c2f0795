package crm_test

import (
	"context"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// blocklist is a messenger that remembers whom it was told to block.
type blocklist struct {
	*crmtest.Connector
	last  string
	calls int
}

func (b *blocklist) Block(_ context.Context, _ crm.Line, id string, blocked bool) error {
	b.calls++
	if b.last = id; !blocked {
		b.last = ""
	}
	return nil
}

// TestBlockedContacts checks who may block whom, that it is told and recorded once, and that
// the list of the messenger decides.
func TestBlockedContacts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		b := &blocklist{Connector: connector}
		w.Messengers[onGr.Messenger] = b
		ingest(t, w, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Anna", BusinessName: ptr("Anna's flowers")}},
			Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, anna), crm.Value(w.Owner.UserID)); err != nil {
			t.Fatal(err)
		}
		block := func(a crm.Actor, id string, blocked bool) error {
			k, err := w.BlockContact(t.Context(), a, crm.ContactAddress{Line: onGr, ContactID: id}, blocked)
			if err == nil && k.Blocked != blocked {
				t.Errorf("%s is shown as %+v", id, k)
			}
			return err
		}
		for _, a := range []crm.Actor{w.Reader, w.Stranger, w.OnlyMine} {
			if err := block(a, anna, true); err == nil {
				t.Errorf("user %d may block a colleague's contact", a.UserID)
			}
		}
		expectCode(t, "an operator with chats of their own, of a stranger", block(w.OnlyMine, "79990007777", true), crm.CodeNotFound)
		expectCode(t, "a group", block(w.Operator, "120363000000000001@g.us", true), crm.CodeInvalid)
		if b.calls != 0 {
			t.Errorf("the messenger was told %d times", b.calls)
		}
		must := func(what, events string, f func() error) {
			t.Helper()
			got := happens(t, w, func() {
				if err := f(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
			if got != events {
				t.Errorf("%s causes %q, want %q", what, got, events)
			}
		}
		must("blocking", "contactBlock", func() error { return block(w.Operator, "+"+annas, true) })
		if item := lastItem(t, w, "contactBlock"); b.last != anna || item["blocked"] != true {
			t.Errorf("%s was blocked, told as %v", b.last, item)
		}
		must("blocking again", "", func() error { return block(w.Operator, anna, true) })
		must("a list with Anna in it", "", func() error { return w.SetBlocked(t.Context(), onGr, []string{anna, "79990006666@c.us"}) })
		must("an empty list", "contactBlock", func() error { return w.SetBlocked(t.Context(), onGr, []string{}) })
		if item := lastItem(t, w, "contactBlock"); item["blocked"] != false || item["edited"] != nil {
			t.Errorf("told as %v", item)
		}
		must("a list with her hidden id", "contactBlock", func() error {
			ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(annas), LID: idOf("100200301@lid")}}})
			return w.SetBlocked(t.Context(), onGr, []string{"100200301@lid"})
		})
		must("ending it", "contactBlock", func() error { return block(w.Owner, anna, false) })
		must("somebody who is no contact yet", "contactBlock", func() error { return block(w.Operator, "79990007777", true) })
		page, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
		if err != nil || len(page.Items) != 2 || page.Items[0].Blocked || *page.Items[0].BusinessName != "Anna's flowers" || page.Items[0].CreatedAt == 0 || !page.Items[1].Blocked {
			t.Errorf("the contacts are %+v, %v", page.Items, err)
		}
		log, err := w.AuditLog(t.Context(), w.Owner, crm.AuditQuery{Action: "contact"})
		if err != nil || len(log.Items) != 4 || log.Items[0].Action != "contact.blocked" || log.Items[1].Action != "contact.unblocked" {
			t.Errorf("the log has %+v, %v", log.Items, err)
		}
	})
}

// TestBlockedUnderTheOtherID checks that who is blocked under a hidden id is so when they are
// found to be a contact with a number.
func TestBlockedUnderTheOtherID(t *testing.T) {
	const hidden = "557@lid"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Anna", Phone: text("79990001122")}}})
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(anna), LID: idOf(hidden)}}})
		w.Tx(t, func(tx *models.Tx) error { // the contact under the hidden id comes again with nothing else that is new
			k := models.Contact{LicenseID: onGr.LicenseID, MessengerType: onGr.Messenger, ExternalID: hidden, Blocked: true}
			_, err := tx.EnsureContact(&k)
			return err
		})
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(anna), LID: idOf(hidden)}}})
		page, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
		if err != nil || len(page.Items) != 1 || !page.Items[0].Blocked {
			t.Errorf("the contacts are %+v, %v", page.Items, err)
		}
	})
}

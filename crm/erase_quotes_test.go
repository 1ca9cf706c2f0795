package crm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// answering returns m as an answer that tells what another message says. author is that of
// the other message; empty: the account itself.
func answering(m crm.InboundMessage, quoted, text, author string) crm.InboundMessage {
	id, ours := idOf(quoted), author == ""
	if ours {
		author = "70000000001@c.us"
	}
	m.QuotedMessageID = &id
	m.Quote = &crm.Quote{Type: crm.MessageText, FromMe: &ours, Message: crm.Content{Text: text}, FromUser: &crm.InboundUser{ID: idOf(author), Name: "Of " + quoted}}
	return m
}

func deletion(id, chat, by string) crm.InboundBatch {
	return crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf(id), Chat: chatOf(chat), FromMe: by == "", By: idOf(by)}}}
}

func messages(m ...crm.InboundMessage) crm.InboundBatch { return crm.InboundBatch{Messages: m} }

// says reports whether the text is in a row of the chat, in the journal, in a list, or found
// by a search.
func says(t *testing.T, w *crmtest.World, chat, text string) (where []string) {
	t.Helper()
	if journalSays(t, w, text) {
		where = append(where, "journal")
	}
	list, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, chat), crm.MessageQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mustJSON(t, list)), text) {
		where = append(where, "list")
	}
	w.Tx(t, func(tx *models.Tx) error {
		row, err := tx.ChatByExternal(onGr.LicenseID, onGr.Messenger, chat)
		if err != nil {
			return err
		}
		rows, err := tx.Messages(row.ID, true, nil, 100)
		for _, m := range rows {
			if m.Quote != nil && strings.Contains(*m.Quote, text) || strings.Contains(m.Content, text) {
				where = append(where, "row of "+m.ExternalID)
			}
		}
		return err
	})
	found, err := w.SearchMessages(t.Context(), w.Owner, onGr, crm.SearchQuery{Search: text})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mustJSON(t, found)), text) {
		where = append(where, "search")
	}
	return where
}

// TestDeletedIsNotQuoted deletes messages that are not here, or not yet, and looks for what
// answers tell of them: answers that are here, and later ones.
func TestDeletedIsNotQuoted(t *testing.T) {
	const ben, carl = "79990002233@c.us", "79990003344@c.us"
	var anna, crew, secret string // of the case
	reply := func() crm.InboundMessage { return fromCustomer("A", anna, "of A", crmtest.Start) }
	quoting := func(author string) crm.InboundBatch { return messages(answering(reply(), "GONE", secret, author)) }
	inCrew := func() crm.InboundBatch {
		return messages(answering(by(carl, "A", crew, "of A", crmtest.Start), "GONE", secret, ben))
	}
	said := func() crm.InboundMessage { return fromCustomer("GONE", anna, secret, crmtest.Start) }
	all := func(b ...crm.InboundBatch) []crm.InboundBatch { return b }
	cases := map[string]struct {
		order func() []crm.InboundBatch
		stays bool // because the deletion is somebody else's
	}{
		"the customer's, quoted before": {func() []crm.InboundBatch { return all(quoting(anna), deletion("GONE", anna, anna)) }, false},
		"ours, quoted before":           {func() []crm.InboundBatch { return all(quoting(""), deletion("GONE", anna, "")) }, false},
		"quoted afterwards": {func() []crm.InboundBatch {
			return all(messages(fromCustomer("A0", anna, "Hi", crmtest.Start)), deletion("GONE", anna, anna), quoting(anna))
		}, false},
		"before there is a chat": {func() []crm.InboundBatch { return all(deletion("GONE", anna, anna), quoting(anna)) }, false},
		"comes afterwards":       {func() []crm.InboundBatch { return all(deletion("GONE", anna, anna), messages(said()), quoting(anna)) }, false},
		"comes with the history": {func() []crm.InboundBatch {
			return all(deletion("GONE", anna, anna), crm.InboundBatch{History: true, Messages: []crm.InboundMessage{said()}})
		}, false},
		"is here, and quoted before": {func() []crm.InboundBatch { return all(quoting(anna), messages(said()), deletion("GONE", anna, anna)) }, false},
		"the answer itself":          {func() []crm.InboundBatch { return all(quoting(anna), deletion("A", anna, anna)) }, false},
		"quoted by what could be read": {func() []crm.InboundBatch {
			return all(deletion("GONE", anna, anna), messages(unreadable("A", anna)), quoting(anna))
		}, false},
		"in a group":                    {func() []crm.InboundBatch { return all(inCrew(), deletion("GONE", crew, ben)) }, false},
		"in a group, quoted afterwards": {func() []crm.InboundBatch { return all(deletion("GONE", crew, ben), inCrew()) }, false},
		"by an admin of the group": {func() []crm.InboundBatch {
			d := deletion("GONE", crew, carl)
			d.Deletes[0].Admin = true
			return all(d, inCrew())
		}, false},
		"in a group, by another":        {func() []crm.InboundBatch { return all(inCrew(), deletion("GONE", crew, carl)) }, true},
		"by another, quoted afterwards": {func() []crm.InboundBatch { return all(deletion("GONE", crew, carl), inCrew()) }, true},
		"by another, then by its author": {func() []crm.InboundBatch {
			return all(deletion("GONE", crew, carl), deletion("GONE", crew, ben), inCrew())
		}, false},
		"by another, and comes afterwards": {func() []crm.InboundBatch {
			return all(deletion("GONE", crew, carl), messages(by(ben, "GONE", crew, secret, crmtest.Start)))
		}, true},
		"ours, by the customer": {func() []crm.InboundBatch { return all(quoting(""), deletion("GONE", anna, anna)) }, true},
		"in another chat":       {func() []crm.InboundBatch { return all(quoting(anna), deletion("GONE", ben, ben)) }, true},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		n := 0
		for name, c := range cases {
			n++
			anna, crew, secret = fmt.Sprintf("7999100%04d@c.us", n), fmt.Sprintf("12036300000%04d@g.us", n), fmt.Sprintf("SECRET%02d", n)
			for range 2 { // the second time changes nothing
				for _, batch := range c.order() {
					ingest(t, w, batch)
				}
			}
			chat := anna
			if _, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, crew)); err == nil {
				chat = crew
			}
			if where := says(t, w, chat, secret); (len(where) > 0) != c.stays {
				t.Errorf("%s: what was deleted is in %q, want it there: %v", name, where, c.stays)
			}
		}
	})
}

// TestDeletionsAreRememberedForYears checks that a deletion holds however late its message, or
// an answer that quotes it, comes with a history. With the line the memory goes.
func TestDeletionsAreRememberedForYears(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, deletion("GONE", anna, anna))
		w.Clock.Advance(5 * 365 * 24 * time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		ingest(t, w, crm.InboundBatch{History: true, Messages: []crm.InboundMessage{
			answering(fromCustomer("A", anna, "of A", crmtest.Start), "GONE", "SECRET", anna),
		}})
		ingest(t, w, crm.InboundBatch{History: true, Messages: []crm.InboundMessage{fromCustomer("GONE", anna, "SECRET", crmtest.Start)}})
		if where := says(t, w, anna, "SECRET"); len(where) > 0 {
			t.Errorf("what was deleted is in %q", where)
		}
		remembered := func() map[string][]models.Deletion {
			t.Helper()
			known, err := store.Read(t.Context()).DeletionsOf(onGr.LicenseID, onGr.Messenger, []string{"GONE"})
			if err != nil {
				t.Fatal(err)
			}
			return known
		}
		if len(remembered()) != 1 {
			t.Error("the deletion is forgotten")
		}
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, onGr.LicenseID, onGr.Messenger); err != nil {
			t.Fatal(err)
		}
		if known := remembered(); len(known) != 0 {
			t.Errorf("without the line %v is remembered", known)
		}
	})
}

// unreadable returns a placeholder of a message that will come again.
func unreadable(id, chat string) crm.InboundMessage {
	m, subtype := fromCustomer(id, chat, "", crmtest.Start), crm.SubtypeUndecryptable
	m.Type, m.Subtype, m.Message = crm.MessageUnknown, &subtype, crm.Content{}
	return m
}

// TestDeletionOfAQuoteIsTold checks what is shown and told of a quoted message that was
// deleted, although it was never here: who wrote it and its type, without a word of it.
func TestDeletionOfAQuoteIsTold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, messages(answering(fromCustomer("A", anna, "that one", crmtest.Start), "GONE", "SECRET", anna)))
		told := happens(t, w, func() {
			ingest(t, w, deletion("GONE", anna, anna))
			ingest(t, w, deletion("GONE", anna, anna))
			ingest(t, w, deletion("NOBODY", anna, anna))
		})
		if told != crm.EventUnseen+" "+crm.EventMessageDelete+" "+crm.EventUnseen || lastItem(t, w, crm.EventMessageDelete)["id"] != "GONE" {
			t.Errorf("told is %q", told)
		}
		list, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, anna), crm.MessageQuery{})
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"id":"GONE","internalId":null,"fromMe":false,"side":"in","time":null,"type":"text",` +
			`"message":{"text":"","caption":"","file":null},"fromUser":{"id":"79990001122@c.us","username":null,"name":"Of GONE","phone":null}}`
		if got := string(mustJSON(t, list.Items[0].QuotedMessage)); got != want || list.Items[0].Message.Text != "that one" {
			t.Errorf("shown is %s, want %s", got, want)
		}
	})
}

// TestDeletedInOneOfTwoChats merges two chats that have the same message, which was deleted
// in one of them. It stays deleted, and so does what an answer in the other chat told of it.
func TestDeletedInOneOfTwoChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		for i, name := range []string{"deleted by number", "deleted by hidden id", "quoted in the other"} {
			anna, hidden, secret := fmt.Sprintf("7999100000%d@c.us", i), fmt.Sprintf("55%d@lid", i), fmt.Sprint("SECRET", i)
			said := func(chat string) crm.InboundMessage { return fromCustomer("GONE", chat, secret, crmtest.Start) }
			ingest(t, w, messages(said(anna)))
			switch i {
			case 0:
				ingest(t, w, messages(said(hidden)))
				ingest(t, w, deletion("GONE", anna, anna))
			case 1:
				ingest(t, w, messages(said(hidden)))
				ingest(t, w, deletion("GONE", hidden, hidden))
			case 2:
				ingest(t, w, messages(answering(fromCustomer("A", hidden, "of A", crmtest.Start), "GONE", secret, hidden)))
				ingest(t, w, deletion("GONE", anna, anna))
			}
			ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(anna), LID: idOf(hidden)}}})
			if n := len(w.Events(t, crm.EventChatMerge)); n != i+1 {
				t.Fatalf("%d merges", n)
			}
			if where := says(t, w, anna, secret); len(where) > 0 {
				t.Errorf("%s: what was deleted is in %q", name, where)
			}
		}
	})
}

// TestDeletedUnderTheOtherID deletes a message under a person's number that came under their
// hidden id. When the two are found to be one, nothing of it is left, but what somebody else
// deleted stays.
func TestDeletedUnderTheOtherID(t *testing.T) {
	const hidden = "556@lid"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, messages(fromCustomer("GONE", hidden, "SECRET", crmtest.Start), fromCustomer("KEPT", hidden, "ours", crmtest.Start),
			answering(fromCustomer("A", hidden, "an answer", crmtest.Start), "OLD", "SECRET too", hidden)))
		ingest(t, w, deletion("GONE", anna, anna))
		ingest(t, w, deletion("OLD", anna, anna))
		ingest(t, w, deletion("KEPT", anna, "")) // the account cannot delete the person's message
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(anna), LID: idOf(hidden)}}})
		if where := says(t, w, anna, "SECRET"); len(where) > 0 {
			t.Errorf("what was deleted is in %q", where)
		}
		if where := says(t, w, anna, "ours"); len(where) == 0 {
			t.Error("a message is gone that nobody could delete")
		}
	})
}

package crm_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// journalSays reports whether any event of the journal contains the text.
func journalSays(t *testing.T, w *crmtest.World, text string) bool {
	t.Helper()
	for _, ev := range w.Events(t) {
		if strings.Contains(ev.Data, text) {
			return true
		}
	}
	return false
}

// TestDeletedIsDeleted deletes messages, as an operator and as their customer, and looks
// for what they said in the journal, also where other messages quote them.
func TestDeletedIsDeleted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ours := send(t, w, w.Operator, onGr, anna, saying("OURS one")).ID
		changed := "OURS two"
		if _, err := w.EditMessage(t.Context(), w.Operator, chatAt(onGr, anna), ours.String(), crm.Edit{Text: &changed}); err != nil {
			t.Fatal(err)
		}
		quoting := fromCustomer("A2", anna, "KEPT", crmtest.Start+1)
		theirs := idOf("A1")
		quoting.QuotedMessageID = &theirs
		answering := fromCustomer("A3", anna, "KEPT too", crmtest.Start+2)
		answering.QuotedMessageID = &ours
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{
			fromCustomer("A1", anna, "THEIRS", crmtest.Start), quoting, answering,
			fromCustomer("B1", "79990001133@c.us", "THEIRS of another chat", crmtest.Start),
		}})
		for _, said := range []string{"OURS one", "OURS two", "THEIRS", "KEPT"} {
			if !journalSays(t, w, said) {
				t.Fatalf("the journal never said %q", said)
			}
		}
		before := names(w.Events(t))
		if err := w.DeleteMessage(t.Context(), w.Operator, chatAt(onGr, anna), ours.String()); err != nil {
			t.Fatal(err)
		}
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("A1"), Chat: chatOf(anna)}}})
		ingest(t, w, crm.InboundBatch{ // all in one transaction
			Messages: []crm.InboundMessage{fromCustomer("A4", anna, "BRIEF", crmtest.Start+3)},
			Deletes:  []crm.InboundDelete{{ID: idOf("A4"), Chat: chatOf(anna)}},
		})
		for said, want := range map[string]bool{`OURS`: false, `"THEIRS"`: false, "BRIEF": false, "KEPT": true, "KEPT too": true, "THEIRS of another chat": true} {
			if journalSays(t, w, said) != want {
				t.Errorf("%q is in the journal: %v, want %v", said, !want, want)
			}
		}
		after := names(w.Events(t)) // in the same order, and the deletions behind
		if got := strings.Join(after[:len(before)], " "); got != strings.Join(before, " ") {
			t.Errorf("the events were %q, now %q", before, got)
		}
		if got := strings.Join(after[len(before):], " "); got != "messageDelete messageDelete message messageDelete" {
			t.Errorf("the deletions cause %q", got)
		}
	})
}

// TestLinksOfDeletedFilesAreDead deletes the message of a file. Neither its link nor a
// token opens the file, and its bytes go once the deletion can no longer fail.
func TestLinksOfDeletedFilesAreDead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", ann, "Hi", crmtest.Start)}})
		sent, item := sendFile(t, w, w.Operator, "cat.png", "image/png", png, "")
		link := item.Message.File.Link
		id := link[strings.LastIndexByte(link, '/')+1 : strings.IndexByte(link, '?')]
		finish := func(o crm.Outcome) {
			t.Helper()
			done(t, w, start(t, w, outbox(t, w)[0].ID), o)
		}
		opens := func(what string, code crm.Code) {
			t.Helper()
			_, _, bySignature := openLink(t, w, onGr, link)
			f, byToken := w.OpenFile(t.Context(), w.Owner, onGr, id)
			if f != nil {
				_ = f.Content.Close()
			}
			expectCode(t, what+", by its link", bySignature, code)
			expectCode(t, what+", with a token", byToken, code)
		}
		remove := func() {
			t.Helper()
			if err := w.DeleteMessage(t.Context(), w.Operator, chatAt(onGr, ann), sent.ID.String()); err != nil {
				t.Fatal(err)
			}
		}
		sweep := func(want int) {
			t.Helper()
			w.Clock.Advance(time.Second)
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := len(stored(t, w)); got != want {
				t.Errorf("%d files are stored, want %d", got, want)
			}
		}
		finish(crm.Outcome{Status: crm.OutSent})
		opens("a sent file", "")
		remove()
		opens("a deleted file", crm.CodeNotFound)
		if journalSays(t, w, id) {
			t.Error("the journal has the link of a deleted file")
		}
		sweep(1)
		finish(refused)
		opens("a file whose deletion was refused", "")
		remove()
		finish(crm.Outcome{Status: crm.OutSent})
		opens("a file that is deleted for all", crm.CodeNotFound)
		if old := time.Unix(crmtest.Start, 0); os.Chtimes(stored(t, w)[0], old, old) != nil {
			t.Fatal("the file cannot be made old")
		}
		w.Clock.Advance(48 * time.Hour) // no upload takes that long
		sweep(0)
	})
}

// TestDeletedIsDeletedInMergedChats checks that a message that came in two chats, which
// turned out to be one, leaves neither of its copies in the journal.
func TestDeletedIsDeletedInMergedChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const hidden = "555@lid"
		lid := hidden
		merging := fromCustomer("A2", anna, "KEPT", crmtest.Start+1)
		merging.Chat.LID = &lid
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "SAID here", crmtest.Start)}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", hidden, "SAID there", crmtest.Start)}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{merging}})
		if len(w.Events(t, crm.EventChatMerge)) != 1 || !journalSays(t, w, "SAID there") {
			t.Fatalf("the chats were not merged: %v", names(w.Events(t)))
		}
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("A1"), Chat: chatOf(anna)}}})
		for said, want := range map[string]bool{"SAID here": false, "SAID there": false, "KEPT": true} {
			if journalSays(t, w, said) != want {
				t.Errorf("%q is in the journal: %v, want %v", said, !want, want)
			}
		}
	})
}

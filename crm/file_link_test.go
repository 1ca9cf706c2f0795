package crm_test

import (
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestLinkedFile checks that a linked file on a line with an account becomes a file for
// the connector to fetch.
func TestLinkedFile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		const link = "https://example.com/photo?id=7"
		m := crm.Outgoing{Content: crm.Content{Caption: "Look"}, IdempotencyKey: "k1"}
		sent, err := w.SendLink(t.Context(), w.Owner, chatAt(onGr, anna), link, "", m)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.SendLink(t.Context(), w.Owner, chatAt(onGr, anna), link, "", m); err != nil || again != sent {
			t.Errorf("the same again is %+v, %v", again, err)
		}
		_, err = w.SendLink(t.Context(), w.Owner, chatAt(onGr, anna), link+"8", "", m)
		wantCode(t, "another link under the same key", err, crm.CodeConflict, "")
		file := fileOf(t, w, "message")
		if file["state"] != "pending" || file["name"] != "photo" || strings.Contains(file["link"].(string), "example.com") {
			t.Errorf("it is announced as %v", file)
		}
		if list := fetch(t, w); len(list) != 0 {
			t.Errorf("it would be fetched beside its sending: %+v", list)
		}
		item := start(t, w, outbox(t, w)[0].ID)
		if item.Message.FileID == "" || item.Message.Content.File.State != crm.FilePending {
			t.Fatalf("it goes out as %+v", item.Message)
		}
		f, err := w.FileToFetch(t.Context(), onGr, anna, sent.ID.String())
		if err != nil || f.Link != link || f.Source != nil || f.ID != item.Message.FileID {
			t.Fatalf("to fetch is %+v, %v", f, err)
		}
		if err := w.FileFetched(t.Context(), onGr, f.ID, strings.NewReader("\x89PNG\r\n\x1a\n pixels")); err != nil {
			t.Fatal(err)
		}
		edit := lastItem(t, w, "messageEdit")
		if edit["type"] != "image" || edit["id"] != sent.ID.String() {
			t.Errorf("it came as %v", edit)
		}
		if b, err := open(t, w, fileOf(t, w, "messageEdit")["link"].(string)); err != nil || !strings.HasSuffix(b, " pixels") {
			t.Errorf("behind the link is %q, %v", b, err)
		}
		ref, err := w.SentMessage(t.Context(), onGr, anna, sent.ID.String())
		if err != nil || ref.Content.File.State != "" || ref.Type != crm.MessageImage || ref.Content.Caption != "Look" {
			t.Errorf("it is to be sent as %+v, %v", ref, err)
		}
	})
}

// TestLinkedFileOfAFailedMessage checks that the file of a failed message is no longer
// pending.
func TestLinkedFileOfAFailedMessage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.SendWithin = time.Minute
		if _, err := w.SendLink(t.Context(), w.Owner, chatAt(onGr, anna), "https://example.com/cat.png", "", crm.Outgoing{}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(2 * time.Minute)
		got := happens(t, w, func() {
			if n, err := w.ExpireOutbox(t.Context()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		})
		if got != "messageStatus messageEdit" {
			t.Errorf("it causes %q", got)
		}
		if file := fileOf(t, w, "messageEdit"); file["state"] != "failed" {
			t.Errorf("its file is %v", file)
		}
	})
}

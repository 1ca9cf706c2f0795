package crm_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestIngestAtOnce concurrently ingests, for several people and each twice: messages
// with either id, aliases that join the two, receipts that name no chat, labels, reads.
// None may fail, and nothing may be lost or doubled.
func TestIngestAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const people, times = 3, 3
		at := int64(crmtest.Start)
		var bringing errgroup.Group
		bring := func(news crm.InboundBatch) {
			for range 2 {
				bringing.Go(func() error {
					_, err := w.Ingest(t.Context(), onGr, news)
					return err
				})
			}
		}
		for p := range people {
			phone, lid := fmt.Sprintf("7999000000%d@c.us", p), fmt.Sprintf("4%d@lid", p)
			for i := range times {
				ours := fmt.Sprintf("O%d-%d", p, i)
				bring(crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer(fmt.Sprintf("P%d-%d", p, i), phone, "by phone", at)}})
				bring(crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer(fmt.Sprintf("L%d-%d", p, i), lid, "by lid", at), fromAccount(ours, lid, "ours", at)}})
				bring(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: idOf(ours), Type: "viewed"}}})
				bring(crm.InboundBatch{
					Aliases: []crm.InboundAlias{{Phone: idOf(phone), LID: idOf(lid)}},
					Labels:  []crm.InboundLabel{{ID: "1", Name: "VIP"}},
					Tags:    []crm.InboundTag{{Chat: chatOf(phone), Label: "1", Added: true}},
				})
				bring(crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chatOf(lid), Time: unix(1)}}, Archives: []crm.InboundArchive{{Chat: chatOf(phone)}}})
			}
		}
		if err := bringing.Wait(); err != nil {
			t.Fatal(err)
		}
		for p := range people { // the aliases may have come before the chats
			ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(fmt.Sprintf("7999000000%d", p)), LID: idOf(fmt.Sprintf("4%d@lid", p))}}})
		}
		page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{})
		if err != nil || len(page.Items) != people {
			t.Fatalf("%d chats, %v; want %d", len(page.Items), err, people)
		}
		for _, chat := range page.Items {
			if chat.LID == nil || chat.Unread != 2*times || len(chat.Tags) != 1 || len(messagesOf(t, w, chat.ID)) != 3*times {
				t.Errorf("chat %s: lid %v, %d unread, tags %v, %d messages", chat.ID, chat.LID, chat.Unread, chat.Tags, len(messagesOf(t, w, chat.ID)))
			}
		}
		if n := len(w.Events(t, "message")); n != 3*times*people {
			t.Errorf("%d messages were told, want %d", n, 3*times*people)
		}
	})
}

// TestEditingWhileItIsSent checks that the customer finally gets the operator's last
// text, whether the edit or the delivery comes first.
func TestEditingWhileItIsSent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		for range 20 {
			id := sendText(t, w, anna, "first")
			begun := outbox(t, w)[0].ID
			var item *crm.OutboxItem
			var racing errgroup.Group
			racing.Go(func() (err error) {
				item, err = w.OutboxStart(t.Context(), onGr, begun)
				return err
			})
			racing.Go(func() error {
				_, err := w.EditMessage(t.Context(), w.Owner, chatAt(onGr, anna), id, crm.Edit{Text: text("second")})
				return err
			})
			if err := racing.Wait(); err != nil {
				t.Fatal(err)
			}
			outside := item.Message.Content.Text
			done(t, w, item, crm.Outcome{Status: crm.OutSent})
			for _, more := range outbox(t, w) {
				outside = start(t, w, more.ID).Message.Content.Text
				done(t, w, &more, crm.Outcome{Status: crm.OutSent})
			}
			if outside != "second" {
				t.Fatalf("the customer reads %q", outside)
			}
		}
	})
}

package crm_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestDeletionsWhileTheRelayNumbers deletes many messages in one transaction, the last
// one first, while the relay numbers their events in the order in which they were
// written. The two wait for each other's rows, and neither may fail.
func TestDeletionsWhileTheRelayNumbers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const rounds, messages = 3, 60
		for round := range rounds {
			said, deleted := crm.InboundBatch{}, crm.InboundBatch{}
			for i := range messages {
				id := fmt.Sprintf("M%d-%d", round, i)
				said.Messages = append(said.Messages, fromCustomer(id, anna, "SECRET "+id, crmtest.Start))
				deleted.Deletes = append(deleted.Deletes, crm.InboundDelete{ID: idOf(id), Chat: chatOf(anna)})
			}
			slices.Reverse(deleted.Deletes)
			ingest(t, w, said)
			var both errgroup.Group
			both.Go(func() error {
				_, err := w.Ingest(t.Context(), onGr, deleted)
				return err
			})
			both.Go(func() error {
				for n := 1; n > 0; {
					var err error
					if n, err = w.Journal.Number(t.Context(), 1000); err != nil {
						return err
					}
				}
				return nil
			})
			if err := both.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		if journalSays(t, w, "SECRET") {
			t.Error("a deleted message is in the journal")
		}
	})
}

// TestFirstMessageIsDeletedAsItComes deletes the first message of a chat while it is being
// stored: neither sees the other, as no chat is there to lock.
func TestFirstMessageIsDeletedAsItComes(t *testing.T) {
	url := testdb.PostgresURL(t)
	w, _ := paired(t, testdb.Open(t, url))
	waiters, deleted := testdb.LockWaiters(t, url), make(chan error, 1)
	w.Tx(t, func(tx *models.Tx) error { // as a message that is not committed yet
		if err := tx.LockLine(onGr.LicenseID, onGr.Messenger); err != nil {
			return err
		}
		chat := models.Chat{
			CompanyID: crmtest.CompanyID, LicenseID: onGr.LicenseID, MessengerType: onGr.Messenger,
			ExternalID: anna, Hash: "h", Type: models.ChatPrivate, Status: models.ChatOpen,
		}
		if _, err := tx.EnsureChat(&chat); err != nil {
			return err
		}
		m := models.Message{ChatID: chat.ID, ExternalID: "GONE", Type: "text", Content: `{"text":"SECRET"}`, Author: `{"id":"` + anna + `"}`}
		if err := tx.Insert(&m); err != nil {
			return err
		}
		go func() {
			_, err := w.Ingest(t.Context(), onGr, deletion("GONE", anna, anna))
			deleted <- err
		}()
		testwait.Count(t, "who wait for the message", 1, waiters)
		return nil
	})
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	if where := says(t, w, anna, "SECRET"); len(where) > 0 {
		t.Errorf("what was deleted is in %q", where)
	}
}

// TestChatGoesWhileItsMessageComes takes the number from a chat while a message is about to
// lock it, as when the number moves to another person. Meanwhile somebody has the line and
// waits for another chat of the batch. Neither is ended as the victim of a deadlock: the
// line is locked before chats, also when the chat has to be made after all.
func TestChatGoesWhileItsMessageComes(t *testing.T) {
	url := testdb.PostgresURL(t)
	w, _ := paired(t, testdb.Open(t, url))
	const bea = "79990003344@c.us"
	ingest(t, w, messages(fromCustomer("B1", bea, "Hi", crmtest.Start)))
	ingest(t, w, messages(fromCustomer("A1", anna, "Hi", crmtest.Start)))
	waiters, ingested, locked := testdb.LockWaiters(t, url), make(chan error, 1), make(chan error, 1)
	tries := 0
	w.Tx(t, func(tx *models.Tx) error {
		rows, err := tx.LockChats(onGr.LicenseID, onGr.Messenger, []string{anna})
		if err != nil {
			return err
		}
		moved := rows[0]
		moved.ExternalID, moved.Phone, moved.Hash = "100200300@lid", nil, "moved"
		if err := tx.SaveChat(moved); err != nil {
			return err
		}
		go func() {
			_, err := w.Ingest(t.Context(), onGr, messages(fromCustomer("B2", bea, "Hi", crmtest.Start), fromCustomer("A2", anna, "Hi", crmtest.Start)))
			ingested <- err
		}()
		testwait.Count(t, "who wait for the chat", 1, waiters)
		go func() {
			locked <- w.Store.Tx(t.Context(), func(tx *models.Tx) error {
				tries++
				if err := tx.LockLine(onGr.LicenseID, onGr.Messenger); err != nil {
					return err
				}
				_, err := tx.LockChats(onGr.LicenseID, onGr.Messenger, []string{bea})
				return err
			})
		}()
		testwait.Count(t, "who wait for the chats", 2, waiters)
		return nil
	})
	if err := errors.Join(<-ingested, <-locked); err != nil {
		t.Fatal(err)
	}
	if tries != 1 {
		t.Errorf("there was a deadlock: the other transaction began %d times", tries)
	}
	if n := len(messagesOf(t, w, anna)) + len(messagesOf(t, w, bea)); n != 3 {
		t.Errorf("the two chats have %d messages", n)
	}
}

// TestFirstMessagesAreDeletedAtOnce brings first messages of many chats and their deletions
// at once, which must not fail, and leave nothing.
func TestFirstMessagesAreDeletedAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		for i := range 30 {
			chat := fmt.Sprintf("799950000%02d@c.us", i)
			var both errgroup.Group
			for _, in := range []crm.InboundBatch{messages(fromCustomer("GONE", chat, "SECRET", crmtest.Start)), deletion("GONE", chat, chat)} {
				both.Go(func() error {
					_, err := w.Ingest(t.Context(), onGr, in)
					return err
				})
			}
			if err := both.Wait(); err != nil {
				t.Fatal(err)
			}
			if where := says(t, w, chat, "SECRET"); len(where) > 0 {
				t.Fatalf("of chat %d, what was deleted is in %q", i, where)
			}
		}
	})
}

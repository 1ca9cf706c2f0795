package crm_test

import (
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestAnsweredWhileItIsHeld checks that a first message does not wait when the person has
// written, although that is committed only while first messages are being held.
func TestAnsweredWhileItIsHeld(t *testing.T) {
	for name, inTurn := range map[string]bool{"together": false, "in turn": true} {
		t.Run(name, func(t *testing.T) {
			url := testdb.PostgresURL(t)
			w, _ := paired(t, testdb.Open(t, url))
			sendText(t, w, anna, "a")
			sendText(t, w, anna, "b")
			waiters, held := testdb.LockWaiters(t, url), make(chan error, 1)
			w.Tx(t, func(tx *models.Tx) error {
				chats, err := tx.LockChats(onGr.LicenseID, onGr.Messenger, []string{anna})
				if err != nil {
					return err
				}
				if _, err := tx.AnswerOutbox(chats[0].ID); err != nil {
					return err
				}
				go func() { held <- w.OutboxHold(t.Context(), onGr, w.Clock.Now().Add(time.Hour), inTurn, careful) }()
				testwait.Count(t, "who wait for the answer", 1, waiters)
				return nil
			})
			if err := <-held; err != nil {
				t.Fatal(err)
			}
			wantDue(t, w, "answered meanwhile", "a", "b")
		})
	}
}

// TestLoggedOutDuringTheAttempt checks that a message of an account that was logged out
// does not wait for another attempt.
func TestLoggedOutDuringTheAttempt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		sendText(t, w, anna, "a")
		sendText(t, w, anna, "b")
		begun := start(t, w, outbox(t, w)[0].ID)
		w.Tx(t, func(tx *models.Tx) error { return tx.AbandonOutbox(onGr.LicenseID, onGr.Messenger) })
		locked := crm.SendError{Code: crm.SendReachoutLocked, Message: "locked"}
		if err := w.OutboxPark(t.Context(), *begun, w.Clock.Now().Add(time.Hour), locked); err != nil {
			t.Fatal(err)
		}
		if n, err := w.ExpireOutbox(t.Context()); n != 2 || err != nil {
			t.Errorf("%d messages failed, %v", n, err)
		}
	})
}

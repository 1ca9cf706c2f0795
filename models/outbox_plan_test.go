package models_test

import (
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestOutboxIsReadByWhatIsDue checks that the sender of a line reads what is due and not the
// many thousand items that wait, and that it knows when the next of them is due.
func TestOutboxIsReadByWhatIsDue(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		const chats, later, now = 5000, 5000, 1000
		fillWithChats(t, store, chats)
		columns := "(license_id, messenger_type, chat_id, kind, message_id, cold, created_at, deadline, not_before)"
		for _, sql := range []string{
			`INSERT INTO messages (chat_id, external_id, from_me, from_api, time, type, content, author, created_at)
				SELECT id, 'M', TRUE, TRUE, 0, 'text', '{}', '{}', 0 FROM chats`,
			`INSERT INTO outbox ` + columns + ` SELECT 1, 'telegram', chat_id, 'message', id, TRUE, 0, 9000, 5000 FROM messages ORDER BY id`,
			`INSERT INTO outbox ` + columns + ` SELECT 1, 'telegram', chat_id, 'edit', message_id, FALSE, 0, 9000, not_before FROM outbox ORDER BY id`,
			`UPDATE outbox SET not_before = 0 WHERE chat_id IN (SELECT id FROM chats WHERE last_time > 4998)`,                   // all of a chat is due
			`UPDATE outbox SET not_before = 0 WHERE kind = 'edit' AND chat_id IN (SELECT id FROM chats WHERE last_time = 4998)`, // not before its message
		} {
			if err := store.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		for _, statistics := range []string{"old", "new"} {
			due, answers, next, err := store.ExplainOutbox(t.Context(), 1, "telegram", now)
			if err != nil {
				t.Fatal(err)
			}
			for what, plan := range map[string]string{"what is due": due, "what is due but first messages": answers, "what is next": next} {
				if !readsByTime(plan) {
					t.Errorf("with %s statistics, %s is read with\n%s", statistics, what, plan)
				}
			}
			analyze(t, store)
		}
		tx := store.Read(t.Context())
		rows, err := tx.OutboxDue(1, "telegram", now, 0, 100)
		if err != nil || len(rows) != 4 || rows[0].Kind != models.OutMessage || rows[3].Kind != models.OutEdit {
			t.Errorf("due: %d items, %v", len(rows), err)
		}
		if len(rows) == 4 {
			if rest, err := tx.OutboxDue(1, "telegram", now, rows[2].ID, 100); err != nil || len(rest) != 1 || rest[0].ID != rows[3].ID {
				t.Errorf("due after the third: %+v, %v", rest, err)
			}
		}
		if rows, err := tx.OutboxDueAnswers(1, "telegram", now, 0, 100); err != nil || len(rows) != 0 {
			t.Errorf("due behind first messages: %d items, %v", len(rows), err)
		}
		if err := store.Exec(t.Context(), "UPDATE outbox SET cold = FALSE WHERE chat_id = (SELECT id FROM chats WHERE last_time = 4999)"); err != nil {
			t.Fatal(err)
		}
		for _, at := range []int64{now, later} {
			answers, err := tx.OutboxDueAnswers(1, "telegram", at, 0, 100)
			if err != nil || len(answers) != 2 || answers[0].FirstContact || answers[0].ChatID != answers[1].ChatID {
				t.Errorf("answers that are due at %d: %d items, %v", at, len(answers), err)
			}
		}
		if at, err := tx.OutboxNext(1, "telegram", now); at != later || err != nil {
			t.Errorf("next: %d, %v", at, err)
		}
		if at, err := tx.OutboxNext(1, "telegram", later); at != 0 || err != nil {
			t.Errorf("next after all: %d, %v", at, err)
		}
		if rows, err := tx.OutboxDue(1, "telegram", later, 0, 3*chats); err != nil || len(rows) != 2*chats {
			t.Errorf("due later: %d items, %v", len(rows), err)
		}
	})
}

// readsByTime reports whether a plan finds the items of the line by the time at which they
// are due, and scans nothing.
func readsByTime(plan string) bool {
	if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN ") {
		return false
	}
	for line := range strings.Lines(plan) {
		if strings.Contains(line, "outbox_due (license_id=? AND messenger_type=? AND not_before") { // SQLite
			return true
		}
		if strings.Contains(line, "Cond:") && strings.Contains(line, "license_id = ") && strings.Contains(line, "not_before ") { // PostgreSQL
			return strings.Contains(plan, "outbox_due")
		}
	}
	return false
}

package models_test

import (
	"path/filepath"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// Before version 36 the outbox did not tell a wait for its turn from one after a failure. What
// waits as a first message, or without an attempt, is held; a first contact that is not
// delivered knows its person.
func TestMigrateHeldItems(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store := t.Context(), testdb.Open(t, url(t))
			if err := store.MigrateTo(ctx, 35); err != nil {
				t.Fatal(err)
			}
			columns := "(id, license_id, messenger_type, chat_id, kind, message_id, cold, attempts, not_before, created_at, deadline)"
			for _, sql := range []string{
				`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0)`,
				`INSERT INTO licenses (id, company_id, name, created_at) VALUES (2, 1, 'old', 0)`,
				`INSERT INTO messengers (license_id, type, name, created_at) VALUES (2, 'grWhatsApp', 'old', 0)`,
				`INSERT INTO chats (id, company_id, license_id, messenger_type, external_id, hash, type, name, status, last_time, created_at)
					VALUES (3, 1, 2, 'grWhatsApp', '7', 'h1', 'private', 'Ann', 'open', 0, 0)`,
				`INSERT INTO messages (id, chat_id, external_id, from_me, from_api, time, type, content, author, created_at) VALUES (4, 3, 'A1', TRUE, TRUE, 0, 'text', '{}', '{}', 0)`,
				`INSERT INTO outbox ` + columns + ` VALUES
					(1, 2, 'grWhatsApp', 3, 'message', 4, TRUE, 1, 99, 0, 999), (2, 2, 'grWhatsApp', 3, 'edit', 4, FALSE, 0, 99, 0, 999),
					(3, 2, 'grWhatsApp', 3, 'edit', 4, FALSE, 1, 99, 0, 999), (4, 2, 'grWhatsApp', 3, 'edit', 4, FALSE, 0, 0, 0, 999)`,
				`INSERT INTO cold_contacts (license_id, messenger_type, at, message_id) VALUES (2, 'grWhatsApp', 50, 4), (2, 'grWhatsApp', 60, NULL), (2, 'grWhatsApp', 70, NULL)`,
			} {
				if err := store.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			tx := store.Read(ctx)
			items, err := tx.Outbox(2, "grWhatsApp", 10)
			if err != nil || len(items) != 4 {
				t.Fatalf("%d items, %v", len(items), err)
			}
			for i, held := range []bool{true, true, false, false} {
				if items[i].Held != held {
					t.Errorf("item %d is held: %v", i+1, items[i].Held)
				}
			}
			if known, err := tx.HasFirstContact(3, 49); !known || err != nil {
				t.Errorf("the person is known: %v, %v", known, err)
			}
			for nth, want := range []int64{70, 60, 50, 0} {
				if at, err := tx.FirstContactAt(2, "grWhatsApp", nth+1, 49); at != want || err != nil {
					t.Errorf("person %d was written to at %d, %v", nth+1, at, err)
				}
			}
			if err := store.Tx(ctx, func(tx *models.Tx) error { _, err := tx.AnswerOutbox(3); return err }); err != nil {
				t.Fatal(err)
			}
			if next, err := tx.OutboxNext(2, "grWhatsApp", 0); next != 99 || err != nil {
				t.Errorf("next is %d, %v", next, err)
			}
		})
	}
}

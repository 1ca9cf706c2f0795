package models_test

import (
	"path/filepath"
	"slices"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestCheckPartsOfBefore brings chats of an earlier version along, and looks through their
// parts in steps. Found is each user once who may have none.
func TestCheckPartsOfBefore(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store := t.Context(), testdb.Open(t, url(t))
			if err := store.MigrateTo(ctx, 29); err != nil {
				t.Fatal(err)
			}
			fillWithChats(t, store, 2500)
			for _, sql := range []string{ // 7 has left the company, 8 is disabled, 9 lost the licence
				`INSERT INTO users (id, email, name, password_hash, created_at, disabled_at) VALUES (7, 'u7', 'U', '', 0, 0), (8, 'u8', 'U', '', 0, 1), (9, 'u9', 'U', '', 0, 0)`,
				`INSERT INTO employees (company_id, user_id, role, created_at) VALUES (1, 8, 'owner', 0), (1, 9, 'operator', 0)`,
				`UPDATE chats SET producer_id = 7 WHERE last_time IN (1, 2400)`,
				`UPDATE chats SET responsible_id = 8 WHERE last_time = 1100`,
				`INSERT INTO chat_members (chat_id, user_id, part) SELECT id, 9, 'auditor' FROM chats WHERE last_time = 2500`,
			} {
				if err := store.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			steps := 0
			for ; ; steps++ {
				some, err := store.Read(ctx).UncheckedParts()
				if err != nil {
					t.Fatal(err)
				}
				if !some {
					break
				}
				if err := store.Tx(ctx, func(tx *models.Tx) error { return tx.CheckParts(1000) }); err != nil {
					t.Fatal(err)
				}
			}
			list, err := store.Read(ctx).AllLostParts(models.LostParts{}, 10)
			if want := []models.LostParts{{CompanyID: 1, UserID: 7}, {CompanyID: 1, UserID: 8}, {CompanyID: 1, UserID: 9}}; err != nil || !slices.Equal(list, want) || steps != 3 {
				t.Errorf("found in %d steps are %v, %v, want %v", steps, list, err, want)
			}
		})
	}
}

package models_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestChatsMayBeChannels brings chats of before there were channels along. A chat may be a
// channel then, and still nothing else.
func TestChatsMayBeChannels(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			ctx, store := t.Context(), testdb.Open(t, at)
			if err := store.MigrateTo(ctx, 34); err != nil {
				t.Fatal(err)
			}
			fillWithChats(t, store, 3)
			channel := func(id string) error {
				return store.Exec(ctx, `INSERT INTO chats (company_id, license_id, messenger_type, external_id, hash, type, last_time, created_at)
					SELECT company_id, license_id, messenger_type, '`+id+`', 'h', '`+id+`', 0, 0 FROM chats WHERE last_time = 1`)
			}
			if err := channel("channel"); err == nil {
				t.Fatal("there are channels in version 34")
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			if err := channel("channel"); err != nil {
				t.Error(err)
			}
			if err := channel("other"); err == nil {
				t.Error("a chat may be anything")
			}
			chats, err := store.Read(ctx).Chats(models.ChatFilter{ViewerID: 1, LicenseID: 1, MessengerType: "telegram", Limit: 10})
			if err != nil || len(chats) != 4 {
				t.Errorf("there are %d chats, %v", len(chats), err)
			}
			if path, is := strings.CutPrefix(at, "sqlite:"); is {
				sound(t, path)
			}
		})
	}
}

// sound checks a database of SQLite as SQLite does.
func sound(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, check := range []string{"integrity_check", "foreign_key_check"} {
		var says string
		if err := db.QueryRowContext(t.Context(), "PRAGMA "+check).Scan(&says); err != nil && err != sql.ErrNoRows || says != "ok" && says != "" {
			t.Errorf("%s says %q, %v", check, says, err)
		}
	}
}

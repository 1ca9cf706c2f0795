package models_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"chatcast/models/testdb"
)

// TestMigrateChecksWhatItRewrites checks that version 35, which rewrites the text of a table on
// SQLite, does not pass over a table with another text: it would refuse channels ever after.
func TestMigrateChecksWhatItRewrites(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "old.db")
	store := testdb.Open(t, "sqlite:"+path)
	if err := store.MigrateTo(ctx, 34); err != nil {
		t.Fatal(err)
	}
	rewrite := func(from, to string) {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, text := range []string{
			"PRAGMA writable_schema = ON",
			"UPDATE sqlite_schema SET sql = replace(sql, '" + from + "', '" + to + "') WHERE name = 'chats'",
			"PRAGMA writable_schema = RESET",
		} {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	rewrite("CHECK (type IN", "CHECK(type IN")
	if err := store.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "the_check_of_chats_type_was_found") {
		t.Fatalf("err = %v, want the name of the check that was not found", err)
	}
	rewrite("CHECK(type IN", "CHECK (type IN") // mended by hand, it goes on
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0)`,
		`INSERT INTO licenses (id, company_id, name, created_at) VALUES (2, 1, 'old', 0)`,
		`INSERT INTO messengers (license_id, type, name, created_at) VALUES (2, 'grWhatsApp', 'old', 0)`,
		`INSERT INTO chats (id, company_id, license_id, messenger_type, external_id, hash, type, name, status, last_time, created_at)
			VALUES (3, 1, 2, 'grWhatsApp', '7', 'h1', 'channel', 'News', 'open', 0, 0)`,
	} {
		if err := store.Exec(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
}

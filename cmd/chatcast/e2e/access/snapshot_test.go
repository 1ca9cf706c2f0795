package access_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"chatcast/models"
)

// snapshot restores the database while the program runs, so that each cell of the matrix
// finds all objects.
type snapshot struct {
	db       *sql.DB
	postgres bool
	tables   []string
}

// kept are the beginnings of tables that go on: the journal, what the program holds leases
// of, and the sessions of messengers.
var kept = []string{"journal", "goose", "schema_", "app_webhook_leases", "app_webhook_queue", "app_webhook_told", "callback_leases", "callback_state", "line_nodes", "instances_state", "messenger_sessions", "whatsmeow", "sqlite_", "saved_"}

func takeSnapshot(t *testing.T, store *models.Store) *snapshot {
	t.Helper()
	db, dialect, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &snapshot{db: db, postgres: dialect == "postgres"}
	list := "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
	if s.postgres {
		list = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	rows, err := db.QueryContext(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !beginsWithAny(name, kept) {
			s.tables = append(s.tables, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range s.tables {
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE saved_"+name+" AS SELECT * FROM "+name); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func beginsWithAny(name string, beginnings []string) bool {
	for _, b := range beginnings {
		if strings.HasPrefix(name, b) {
			return true
		}
	}
	return false
}

// restore brings the rows back that the tables had.
func (s *snapshot) restore(t *testing.T) {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	off, on := "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF", "PRAGMA foreign_keys = ON"
	if s.postgres {
		off, on = "SET session_replication_role = replica", "SET session_replication_role = DEFAULT"
	}
	exec := func(do func(ctx context.Context, q string, args ...any) (sql.Result, error), q string) {
		t.Helper()
		if _, err := do(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	exec(conn.ExecContext, off)
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // unless it is committed; the connection cannot close before
	for _, name := range s.tables {
		exec(tx.ExecContext, "DELETE FROM "+name)
		// What the program has written meanwhile, such as the row of its probe, stays.
		exec(tx.ExecContext, "INSERT INTO "+name+" SELECT * FROM saved_"+name+" WHERE TRUE ON CONFLICT DO NOTHING")
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	exec(conn.ExecContext, on)
}

// exec changes rows for one cell. restore takes it back.
func (s *snapshot) exec(t *testing.T, query string) {
	t.Helper()
	if _, err := s.db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

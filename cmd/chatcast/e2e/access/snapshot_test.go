package access_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
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
		if _, err := db.ExecContext(t.Context(), "DROP TABLE IF EXISTS saved_"+name); err != nil {
			t.Fatal(err)
		}
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

// busy are the beginnings of tables that change without a change by who asks: when keys and tokens
// were used last, what was refused, and how often.
var busy = []string{"api_keys", "tokens", "audit", "callback_deliveries"}

// columns are those of tables of which others change so: where deliveries to a URL are.
var columns = map[string]string{"callback_urls": "id, company_id, license_id, messenger_type, format, url, secret, events, options, enabled"}

// changed lists the tables whose rows are others than were saved.
func (s *snapshot) changed(t *testing.T) (names []string) {
	t.Helper()
	for _, name := range s.tables {
		if beginsWithAny(name, busy) {
			continue
		}
		var others int
		of := cmp.Or(columns[name], "*")
		for _, pair := range [][2]string{{name, "saved_" + name}, {"saved_" + name, name}} {
			var n int
			q := fmt.Sprintf("SELECT COUNT(*) FROM (SELECT %s FROM %s EXCEPT SELECT %s FROM %s) AS x", of, pair[0], of, pair[1])
			if err := s.db.QueryRowContext(t.Context(), q).Scan(&n); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
			others += n
		}
		if others > 0 {
			names = append(names, name)
		}
	}
	return names
}

// events returns how many events were written.
func (s *snapshot) events(t *testing.T) (n int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM journal").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

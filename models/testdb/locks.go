package testdb

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// KillLockHolders ends the connections that hold an advisory lock of the
// database, as a broken network would, and returns how many there were.
func KillLockHolders(t testing.TB, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), `
		SELECT COUNT(pg_terminate_backend(pid)) FROM pg_locks
		WHERE locktype = 'advisory' AND granted
		  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// LockTable locks a table of the database at url, also for those who read it, until the
// test ends. waiting returns how many wait for it.
func LockTable(t testing.TB, url, table string) (waiting func() int) {
	t.Helper()
	return HoldTable(t, url, table).Waiting
}

// HeldTable is a table that is locked, also for those who read it.
type HeldTable struct {
	t     testing.TB
	conn  *pgx.Conn
	table string
}

// HoldTable locks a table of the database at url until Release is called or the test ends.
func HoldTable(t testing.TB, url, table string) *HeldTable {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	h := &HeldTable{t, conn, table}
	h.exec("BEGIN", "LOCK TABLE "+pgx.Identifier{table}.Sanitize())
	return h
}

func (h *HeldTable) exec(statements ...string) {
	h.t.Helper()
	for _, statement := range statements {
		if _, err := h.conn.Exec(h.t.Context(), statement); err != nil {
			h.t.Fatal(err)
		}
	}
}

// Waiting returns how many wait for the table.
func (h *HeldTable) Waiting() (n int) {
	h.t.Helper()
	err := h.conn.QueryRow(h.t.Context(), "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass", h.table).Scan(&n)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// NumberJournal numbers the entries of the journal that are committed, as a relay would
// that did not wait for the table.
func (h *HeldTable) NumberJournal() {
	h.t.Helper()
	h.exec(`UPDATE journal SET seq = (SELECT last_seq FROM journal_state) + n.rank
		FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS rank FROM journal WHERE seq IS NULL) AS n WHERE journal.id = n.id`,
		`INSERT INTO journal_channels (channel, seq) SELECT DISTINCT c.value, j.seq
		FROM journal AS j, LATERAL json_array_elements_text(j.channels::json) AS c(value) WHERE j.seq > (SELECT last_seq FROM journal_state)`,
		`UPDATE journal_state SET last_seq = (SELECT MAX(seq) FROM journal)`)
}

// Release commits what was done, and lets those go on who wait.
func (h *HeldTable) Release() {
	h.t.Helper()
	h.exec("COMMIT")
}

// LockWaiters returns what counts the connections to the database at url that wait for a lock.
func LockWaiters(t testing.TB, url string) (waiting func() int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return func() (n int) {
		t.Helper()
		err := conn.QueryRow(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

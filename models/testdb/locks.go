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
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, statement := range []string{"BEGIN", "LOCK TABLE " + pgx.Identifier{table}.Sanitize()} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() (n int) {
		t.Helper()
		err := conn.QueryRow(t.Context(), "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass", table).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
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

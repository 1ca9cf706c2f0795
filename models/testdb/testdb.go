// Package testdb gives tests a fresh, migrated database: SQLite in the test's
// folder, PostgreSQL from a private server that it starts itself.
//
// The server is started when the first test asks for it, listens on a Unix
// socket in a temporary folder and nowhere else, and is stopped by Main. A
// package that uses testdb therefore has
//
//	func TestMain(m *testing.M) { testdb.Main(m) }
//
// A test program that is killed takes its server with it.
package testdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"chatcast/channels/testwait"
	"chatcast/models"
)

// Main runs the tests, stops the private server, fails on a leaked goroutine, and
// exits.
func Main(m *testing.M, options ...goleak.Option) {
	code := m.Run()
	if err := Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "testdb:", err)
		code = max(code, 1)
	}
	if code == 0 {
		if err := testwait.Leaks(options...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Stop stops the private server, if one was started. It is for packages with a
// TestMain of their own; Main calls it.
func Stop() error { return errors.Join(server.stop(), durable.stop()) }

// Each runs the test on SQLite and on PostgreSQL, each time with a new database that is
// closed at the end.
func Each(t *testing.T, test func(t *testing.T, store *models.Store)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL runs the test on SQLite and on PostgreSQL, for tests that open the
// database themselves. With -short it leaves PostgreSQL out.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// Open opens url for the time of the test.
func Open(t testing.TB, url string) *models.Store {
	t.Helper()
	store, err := models.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return store
}

// SQLiteURL returns the URL of a new database of this version, in the folder of the
// test.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "chatcast.db")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// PostgresURL returns the URL of a new database of this version on the private server.
// The database is dropped after the test, even while others are connected. With -short
// the test is skipped.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, &server, "template_chatcast")
}

// DurablePostgresURL is PostgresURL on a server that syncs each commit to disk, as those of
// users do. It is for what measures.
func DurablePostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, &durable, "template_chatcast")
}

// EmptyPostgresURL returns the URL of a new database without tables on the private
// server.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, &server, "template1")
}

// Tool returns the path of a program that comes with the private server, such as pg_dump.
func Tool(t testing.TB, name string) string {
	t.Helper()
	bin, err := findPostgres()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(bin, name)
}

func postgresURL(t testing.TB, server *postgresServer, template string) string {
	t.Helper()
	testwait.LeaveOut(t, "it needs PostgreSQL")
	url, drop, err := server.database(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return url
}

// sqliteTemplate returns a migrated database file. It is made once: copying it is
// quicker than migrating.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "chatcast-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrated(context.Background(), "sqlite:"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func migrated(ctx context.Context, url string) error {
	store, err := models.Open(ctx, url)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		store.Close()
		return err
	}
	return store.Close()
}

package models_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/channels/testwait"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestSideDB checks that another pool sees what ours commits, writes beside it, and
// waits for it rather than fails.
func TestSideDB(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		side, dialect, err := store.SideDB(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := side.Close(); err != nil {
				t.Error(err)
			}
		}()
		if dialect != "sqlite" && dialect != "postgres" {
			t.Errorf("the dialect is %q", dialect)
		}
		if _, err := side.ExecContext(ctx, "CREATE TABLE side_keys (id BIGINT PRIMARY KEY, company BIGINT REFERENCES companies (id))"); err != nil {
			t.Fatal(err)
		}
		inside, wrote := make(chan struct{}), make(chan error, 1)
		go func() {
			<-inside
			_, err := side.ExecContext(ctx, "INSERT INTO side_keys (id) VALUES (1)")
			wrote <- err
		}()
		err = store.Tx(ctx, func(tx *models.Tx) error {
			close(inside)
			for i := range int64(20) { // long enough for the other to want to write
				if err := tx.Insert(&models.Company{ID: 100 + i, Name: "Company", CreatedAt: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := <-wrote; err != nil {
			t.Errorf("writing beside a transaction: %v", err)
		}
		if _, err := side.ExecContext(ctx, "INSERT INTO side_keys (id, company) VALUES (2, 119)"); err != nil {
			t.Errorf("what the other pool committed is not there: %v", err)
		}
		if _, err := side.ExecContext(ctx, "INSERT INTO side_keys (id, company) VALUES (3, 999)"); err == nil {
			t.Error("foreign keys are off")
		}
	})
}

// TestPoolsWriteInTurn lets one pool write beside another that is never idle. It writes as
// the next one, and does not lose its place to those that came later.
func TestPoolsWriteInTurn(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	ctx := t.Context()
	side, _, err := store.SideDB(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer side.Close()
	if _, err := side.ExecContext(ctx, "CREATE TABLE side_keys (id BIGINT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	for round := range 10 {
		var wrote errgroup.Group
		inside, leave, queued := make(chan struct{}), make(chan struct{}), make(chan struct{})
		wrote.Go(func() error {
			return store.Tx(ctx, func(*models.Tx) error {
				close(inside)
				<-leave
				return nil
			})
		})
		<-inside
		wrote.Go(func() error {
			_, err := side.ExecContext(ctx, "INSERT INTO side_keys (id) VALUES (?)", round)
			return err
		})
		testwait.Count(t, "the side pool waits", 1, store.WritersInTurn)
		wrote.Go(func() error {
			close(queued)
			return store.Tx(ctx, func(tx *models.Tx) error {
				var n int
				err := tx.Scan(&n, "SELECT COUNT(*) FROM side_keys")
				if err == nil && n != round+1 {
					err = fmt.Errorf("round %d: who came later wrote first", round)
				}
				return err
			})
		})
		<-queued
		close(leave)
		if err := wrote.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestDatabaseClock checks that the clock is near ours, and in milliseconds.
func TestDatabaseClock(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ms, err := store.Read(t.Context()).NowMS()
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Since(time.UnixMilli(ms)); off.Abs() > time.Minute {
			t.Errorf("the database's clock is off by %v", off)
		}
	})
}

// TestLockWaitsForWhatWasLeft checks that the next server on PostgreSQL waits until the
// side connections of the one before have ended, however that one ended.
func TestLockWaitsForWhatWasLeft(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	before, err := models.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	side, _, err := before.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next, err := models.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := next.Lock(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("with a side connection at work: %v", err)
	}
	locked := make(chan error, 1)
	go func() { locked <- next.Lock(t.Context()) }()
	if err := side.Close(); err != nil {
		t.Error(err)
	}
	if err := <-locked; err != nil {
		t.Errorf("when it had ended: %v", err)
	}
	after, _, err := next.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Close(); err != nil {
		t.Error(err)
	}
}

// TestSilentTransactions checks that the server ends transactions of a process that is held up,
// in both pools, and after the time that the administrator has set.
func TestSilentTransactions(t *testing.T) {
	url := testdb.PostgresURL(t)
	for options, want := range map[string]string{"": "30s", "&options=-c%20idle_in_transaction_session_timeout%3D7s": "7s"} {
		store := testdb.Open(t, url+options)
		side, _, err := store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer side.Close()
		var got string
		if err := side.QueryRowContext(t.Context(), "SHOW idle_in_transaction_session_timeout").Scan(&got); err != nil || got != want {
			t.Errorf("the keys' pool has %q, %v", got, err)
		}
		if err := store.Scan(t.Context(), &got, "SHOW idle_in_transaction_session_timeout"); err != nil || got != want {
			t.Errorf("the pool has %q, %v", got, err)
		}
	}
}

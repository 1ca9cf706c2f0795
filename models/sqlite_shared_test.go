package models_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/channels/testwait"
	"chatcast/models"
	"chatcast/models/testdb"
)

var errRefused = errors.New("refused")

// openShared returns an SQLite store with a transaction that is open until end is called, and a
// func that waits until n others wait for it.
func openShared(t *testing.T) (store *models.Store, await func(n int), end func(err error)) {
	t.Helper()
	store = testdb.Open(t, testdb.SQLiteURL(t))
	open, finish, ended := make(chan struct{}), make(chan error), make(chan error, 1)
	go func() {
		begun := false
		ended <- store.Tx(t.Context(), func(tx *models.Tx) error {
			err := tx.Insert(&models.Setting{Name: "leader", Value: "x"})
			if !begun { // else it begins again
				begun = true
				close(open)
				err = errors.Join(err, <-finish)
			}
			return err
		})
	}()
	<-open
	await = func(n int) { t.Helper(); testwait.Count(t, "waiting", n, store.WaitingToShare) }
	return store, await, func(err error) {
		t.Helper()
		finish <- err
		if got := <-ended; !errors.Is(got, err) {
			t.Errorf("the leader ends with %v, want %v", got, err)
		}
	}
}

func settings(t *testing.T, store *models.Store) (names []string) {
	t.Helper()
	var rows []models.Setting
	if err := store.Scan(t.Context(), &rows, "SELECT name FROM settings ORDER BY name"); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		names = append(names, r.Name)
	}
	return names
}

// TestSharedCommit lets transactions of each kind wait for an open one. Those that succeed are
// committed with it, and the others leave no trace.
func TestSharedCommit(t *testing.T) {
	for name, fault := range map[string]error{"leader succeeds": nil, "leader fails": errRefused} {
		t.Run(name, func(t *testing.T) {
			store, await, end := openShared(t)
			insert := func(tx *models.Tx, name string) error { return tx.Insert(&models.Setting{Name: name, Value: "x"}) }
			ctx, cancel := context.WithCancel(t.Context())
			kinds := []struct {
				run  func() error
				want error
			}{
				{want: nil, run: func() error {
					return store.Tx(t.Context(), func(tx *models.Tx) error { return insert(tx, "kept") })
				}},
				{want: errRefused, run: func() error {
					return store.Tx(t.Context(), func(tx *models.Tx) error { return errors.Join(insert(tx, "refused"), errRefused) })
				}},
				{want: models.ErrDuplicate, run: func() error {
					return store.Tx(t.Context(), func(tx *models.Tx) error { return errors.Join(insert(tx, "double"), insert(tx, "kept")) })
				}},
				{want: errRefused, run: func() (err error) {
					defer func() { err = recover().(error) }()
					return store.Tx(t.Context(), func(tx *models.Tx) error { _ = insert(tx, "panicked"); panic(errRefused) })
				}},
				{want: nil, run: func() error {
					left := make(chan struct{})
					go func() {
						defer close(left)
						_ = store.Tx(t.Context(), func(tx *models.Tx) error { _ = insert(tx, "exited"); runtime.Goexit(); return nil })
					}()
					<-left
					return nil
				}},
				{want: context.Canceled, run: func() error {
					ctx, cancel := context.WithCancel(t.Context())
					return store.Tx(ctx, func(tx *models.Tx) error { cancel(); return insert(tx, "cancelled") })
				}},
				{want: context.Canceled, run: func() error {
					return store.Tx(ctx, func(tx *models.Tx) error { return insert(tx, "left") })
				}},
			}
			var all errgroup.Group
			for i, k := range kinds {
				all.Go(func() error {
					if err := k.run(); !errors.Is(err, k.want) {
						return fmt.Errorf("%d ends with %w, want %w", i, err, k.want)
					}
					return nil
				})
				await(i + 1)
			}
			cancel()
			end(fault)
			if err := all.Wait(); err != nil {
				t.Error(err)
			}
			want := []string{"kept", "leader"}
			if fault != nil {
				want = want[:1]
			}
			if got := settings(t, store); !slices.Equal(got, want) {
				t.Errorf("the rows are %q, want %q", got, want)
			}
		})
	}
}

// TestSharedCommitOrder checks that what waits runs in the order it came, but for TxFirst.
func TestSharedCommitOrder(t *testing.T) {
	store, await, end := openShared(t)
	var order []int
	var all errgroup.Group
	for i := range 5 {
		run := store.Tx
		if i == 3 {
			run = store.TxFirst
		}
		all.Go(func() error {
			return run(t.Context(), func(*models.Tx) error { order = append(order, i); return nil })
		})
		await(i + 1)
	}
	end(nil)
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := []int{3, 0, 1, 2, 4}; !slices.Equal(order, want) {
		t.Errorf("they ran in the order %v, want %v", order, want)
	}
}

// TestSharedCommitIsLost breaks the transaction that several share, as a full disk does. Those
// whose work is lost with it begin again, and whoever broke it gets its error.
func TestSharedCommitIsLost(t *testing.T) {
	store, await, end := openShared(t)
	calls := make([]int, 4)
	var all errgroup.Group
	for i := range calls {
		all.Go(func() error {
			err := store.Tx(t.Context(), func(tx *models.Tx) error {
				calls[i]++
				if i == 2 {
					return errors.Join(tx.Exec("ROLLBACK"), errRefused)
				}
				return tx.Insert(&models.Setting{Name: fmt.Sprint(i), Value: "x"})
			})
			if i == 2 != errors.Is(err, errRefused) {
				return err
			}
			return nil
		})
		await(i + 1)
	}
	end(nil)
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := settings(t, store), []string{"0", "1", "3", "leader"}; !slices.Equal(got, want) {
		t.Errorf("the rows are %q, want %q", got, want)
	}
	if calls[2] != 1 {
		t.Errorf("they were called %v times; the third was to run once", calls)
	}
}

// TestSharedCommits runs many transactions at once: all are there, with fewer commits.
func TestSharedCommits(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	var all errgroup.Group
	for i := range 16 {
		all.Go(func() error {
			for j := range 50 {
				err := store.Tx(t.Context(), func(tx *models.Tx) error {
					err := tx.Insert(&models.Setting{Name: fmt.Sprint(i, " ", j), Value: "x"})
					if j%5 == 4 {
						err = errors.Join(err, errRefused)
					}
					return err
				})
				if (j%5 == 4) != errors.Is(err, errRefused) {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(settings(t, store)); n != 16*40 {
		t.Errorf("%d rows, want %d", n, 16*40)
	}
}

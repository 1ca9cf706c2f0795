package models_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

// Two transactions lock the same rows in opposite orders. PostgreSQL ends one of them,
// which begins again: both succeed, and each counts once. On SQLite transactions follow
// one another.
func TestTxBeginsAgainAfterDeadlock(t *testing.T) {
	store := testdb.Open(t, testdb.PostgresURL(t))
	err := store.Tx(t.Context(), func(tx *models.Tx) error {
		return tx.Insert(&models.Company{ID: 1, Name: "0"}, &models.Company{ID: 2, Name: "0"})
	})
	if err != nil {
		t.Fatal(err)
	}
	var both errgroup.Group
	var met sync.WaitGroup
	met.Add(2)
	calls := make([]int, 2)
	for i, order := range [][]int64{{1, 2}, {2, 1}} {
		both.Go(func() error {
			return store.Tx(t.Context(), func(tx *models.Tx) error {
				calls[i]++
				for n, id := range order {
					if _, err := tx.LockCompany(id); err != nil {
						return fmt.Errorf("lock: %w", err)
					}
					if n == 0 && calls[i] == 1 {
						met.Done()
						met.Wait()
					}
				}
				return tx.Insert(&models.License{CompanyID: 1, Name: fmt.Sprint(i)})
			})
		})
	}
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	if calls[0]+calls[1] < 3 {
		t.Errorf("the transactions were begun %v times: they did not meet", calls)
	}
	licenses, err := store.Read(t.Context()).LicenseIDs(1)
	if err != nil || len(licenses) != 2 {
		t.Errorf("%d licences, %v: want 2", len(licenses), err)
	}
}

// Tx tries five times what others end, and once everything else.
func TestTxGivesUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for name, c := range map[string]struct {
			err   error
			calls int
		}{
			"deadlock":              {fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: "40P01"}), 5},
			"serialization failure": {errors.Join(&pgconn.PgError{Code: "40001"}, errors.New("later")), 5},
			"duplicate":             {models.ErrDuplicate, 1},
			"another":               {&pgconn.PgError{Code: "23514"}, 1},
			"none":                  {nil, 1},
		} {
			calls := 0
			err := store.Tx(t.Context(), func(tx *models.Tx) error {
				calls++
				return errors.Join(c.err, tx.Insert(&models.Setting{Name: name, Value: "x"}))
			})
			if !errors.Is(err, c.err) || calls != c.calls {
				t.Errorf("%s: %d calls, %v", name, calls, err)
			}
			if _, err := store.Read(t.Context()).Setting(name); (err == nil) != (c.err == nil) {
				t.Errorf("%s: its row: %v", name, err)
			}
		}
	})
}

// A store that rehearses calls each transaction twice and keeps one.
func TestTxRehearses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		store.Rehearse()
		var seen []int64
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			c := &models.Company{Name: "a"}
			err := tx.Insert(c)
			seen = append(seen, c.ID)
			return err
		})
		if err != nil || len(seen) != 2 {
			t.Fatalf("%v, %v", seen, err)
		}
		list, err := store.Read(t.Context()).Companies(0)
		if err != nil || len(list) != 1 || list[0].ID != seen[1] {
			t.Errorf("%v, %v: want %d", list, err, seen[1])
		}
	})
}

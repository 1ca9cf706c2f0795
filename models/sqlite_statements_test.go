package models_test

import (
	"fmt"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestStatementsAreKept runs a query while the rows of the same query are being read, then more
// queries than a connection keeps, all while the first rows are open.
func TestStatementsAreKept(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	err := store.Tx(t.Context(), func(tx *models.Tx) error {
		for i := range 3 {
			if err := tx.Insert(&models.Setting{Name: fmt.Sprint(i), Value: "x"}); err != nil {
				return err
			}
		}
		return tx.EachSetting(func(name string) error {
			inner := 0
			if err := tx.EachSetting(func(string) error { inner++; return nil }); err != nil || inner != 3 {
				return fmt.Errorf("the query within has %d rows, %w", inner, err)
			}
			for i := range 300 {
				var n int
				if err := tx.Scan(&n, fmt.Sprintf("SELECT %d + COUNT(*) FROM settings", i)); err != nil || n != i+3 {
					return fmt.Errorf("query %d gives %d, %w", i, n, err)
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// TestKeptStatementsAfterAChange changes a table by another process while its statements are kept.
func TestKeptStatementsAfterAChange(t *testing.T) {
	url := testdb.SQLiteURL(t)
	store, other := testdb.Open(t, url), testdb.Open(t, url)
	read := func(want int) {
		t.Helper()
		var rows []map[string]any
		if err := store.Scan(t.Context(), &rows, "SELECT * FROM settings"); err != nil || len(rows) != 1 || len(rows[0]) != want {
			t.Errorf("it reads %v, %v: want %d columns", rows, err, want)
		}
	}
	if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.Insert(&models.Setting{Name: "a", Value: "x"}) }); err != nil {
		t.Fatal(err)
	}
	read(2)
	if err := other.Exec(t.Context(), "ALTER TABLE settings ADD COLUMN more TEXT"); err != nil {
		t.Fatal(err)
	}
	read(3)
}

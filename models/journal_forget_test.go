package models_test

import (
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/models"
	"chatcast/models/testdb"
)

// said returns what entries say, by number.
func said(t *testing.T, store *models.Store) (list []string) {
	t.Helper()
	var rows []struct{ Data, Channels string }
	if err := store.Scan(t.Context(), &rows, "SELECT data, channels FROM journal WHERE seq IS NOT NULL ORDER BY seq"); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		_, what, _ := strings.Cut(row.Data, `"said":"`)
		what, _, _ = strings.Cut(what, `"`)
		list = append(list, what+row.Channels)
	}
	return list
}

func saying(what, channel string) *models.JournalEntry {
	e := entry("event", `["`+channel+`"]`)
	e.Data = `{"payload":{"data":[{"said":"` + what + `"}],"meta":{}}}`
	return e
}

// TestForgottenBeforeItIsPublished removes what a channel has got while a part of it has a
// number and is not published: that is emptied when it is, whoever publishes it.
func TestForgottenBeforeItIsPublished(t *testing.T) {
	for name, publish := range map[string]func(t *testing.T, store *models.Store){
		"by the relay": func(t *testing.T, store *models.Store) { markPublished(t, store, 4) },
		"by all nodes": func(t *testing.T, store *models.Store) {
			for range 2 {
				err := store.Tx(t.Context(), func(tx *models.Tx) error {
					seq, err := tx.MarkNumbered()
					if seq != 4 {
						t.Errorf("published up to %d", seq)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				appendEntries(t, store, saying("a", "x"), saying("b", "y"), saying("c", "x"), saying("d", "y"), saying("e", "x"))
				number(t, store, 4)
				markPublished(t, store, 2)
				if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.ForgetJournalOf("x") }); err != nil {
					t.Fatal(err)
				}
				if got, want := said(t, store), []string{"[]", `b["y"]`, `c["x"]`, `d["y"]`}; !slices.Equal(got, want) {
					t.Errorf("removed, the journal has %q, want %q", got, want)
				}
				publish(t, store)
				number(t, store, 4)
				if got, want := said(t, store), []string{"[]", `b["y"]`, "[]", `d["y"]`}; !slices.Equal(got, want) {
					t.Errorf("published, it has %q, want %q", got, want)
				}
			})
		})
	}
}

// TestPublishedWhileItIsForgotten publishes entries while a transaction that removes them is
// not committed.
func TestPublishedWhileItIsForgotten(t *testing.T) {
	url := testdb.PostgresURL(t)
	store := testdb.Open(t, url)
	appendEntries(t, store, saying("a", "x"), saying("b", "x"), saying("c", "y"))
	number(t, store, 3)
	markPublished(t, store, 1)
	waiters, published := testdb.LockWaiters(t, url), make(chan error, 1)
	err := store.Tx(t.Context(), func(tx *models.Tx) error {
		if err := tx.ForgetJournalOf("x"); err != nil {
			return err
		}
		go func() {
			published <- store.Tx(t.Context(), func(tx *models.Tx) error { return tx.MarkPublished(3) })
		}()
		testwait.Count(t, "who wait", 1, waiters)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	if got, want := said(t, store), []string{"[]", "[]", `c["y"]`}; !slices.Equal(got, want) {
		t.Errorf("the journal has %q, want %q", got, want)
	}
}

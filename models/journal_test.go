package models_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

// entry returns a journal row with a recognizable name.
func entry(name string, channels string) *models.JournalEntry {
	return &models.JournalEntry{CompanyID: 1, Name: name, Channels: channels, Data: `{"payload":{"data":[],"meta":{}}}`, CreatedAtMS: 1000}
}

const oneChannel = `["private-v1.companies.1"]`

func appendEntries(t *testing.T, store *models.Store, entries ...*models.JournalEntry) {
	t.Helper()
	err := store.Tx(t.Context(), func(tx *models.Tx) error {
		for _, e := range entries {
			if err := tx.AppendJournal(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, store *models.Store, limit int) (n int) {
	t.Helper()
	err := store.Tx(t.Context(), func(tx *models.Tx) (err error) {
		n, err = tx.NumberJournal(limit)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func markPublished(t *testing.T, store *models.Store, seq int64) {
	t.Helper()
	if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.MarkPublished(seq) }); err != nil {
		t.Fatal(err)
	}
}

// unpublished returns the entries that the relay has not published, as "seq name".
func unpublished(t *testing.T, store *models.Store) []string {
	t.Helper()
	rows, err := store.Read(t.Context()).UnpublishedJournal(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	return describe(rows)
}

func describe(rows []models.JournalEntry) []string {
	got := []string{}
	for _, r := range rows {
		got = append(got, fmt.Sprint(*r.Seq, " ", r.Name))
	}
	return got
}

func bounds(t *testing.T, store *models.Store) models.JournalBounds {
	t.Helper()
	b, err := store.Read(t.Context()).JournalBounds()
	if err != nil {
		t.Fatal(err)
	}
	return *b
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %q, want %q", what, got, want)
	}
}

func TestNumberingGoesOnWhereItWas(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if n := number(t, store, 10); n != 0 {
			t.Errorf("numbered %d of nothing", n)
		}
		appendEntries(t, store, entry("a", oneChannel), entry("b", oneChannel), entry("c", oneChannel))
		if n := number(t, store, 2); n != 2 {
			t.Errorf("numbered %d, want 2", n)
		}
		same(t, "the first batch", unpublished(t, store), []string{"1 a", "2 b"})
		if n := number(t, store, 2); n != 1 {
			t.Errorf("numbered %d, want 1", n)
		}
		markPublished(t, store, 2)
		same(t, "what is left", unpublished(t, store), []string{"3 c"})
		markPublished(t, store, 1) // late: must not move the mark back
		if got, want := bounds(t, store), (models.JournalBounds{First: 1, LastSeq: 3, Published: 2}); got != want {
			t.Errorf("bounds = %+v, want %+v", got, want)
		}
	})
}

// TestLateCommitIsNotSteppedOver writes one entry first and commits it last, after the
// other was numbered.
func TestLateCommitIsNotSteppedOver(t *testing.T) {
	store := testdb.Open(t, testdb.PostgresURL(t))
	written, commit := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return store.Tx(t.Context(), func(tx *models.Tx) error {
			defer func() { <-commit }()
			defer close(written)
			return tx.AppendJournal(entry("written first", oneChannel))
		})
	})
	<-written
	appendEntries(t, store, entry("committed first", oneChannel))
	number(t, store, 10)
	same(t, "before the late commit", unpublished(t, store), []string{"1 committed first"})
	close(commit)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	number(t, store, 10)
	same(t, "after it", unpublished(t, store), []string{"1 committed first", "2 written first"})
}

func TestRollbackLeavesNoNumber(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		appendEntries(t, store, entry("a", oneChannel))
		refused := errors.New("refused")
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			if err := tx.AppendJournal(entry("rolled back", oneChannel)); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatalf("err = %v", err)
		}
		appendEntries(t, store, entry("b", oneChannel))
		number(t, store, 10)
		same(t, "the journal", unpublished(t, store), []string{"1 a", "2 b"})
	})
}

// TestNumberingRolledBackIsDoneAgain checks that a numbering that did not commit gave
// no numbers.
func TestNumberingRolledBackIsDoneAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		appendEntries(t, store, entry("a", oneChannel))
		crashed := errors.New("crashed")
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			if n, err := tx.NumberJournal(10); err != nil || n != 1 {
				return fmt.Errorf("numbered %d, %w", n, err)
			}
			return crashed
		})
		if !errors.Is(err, crashed) {
			t.Fatal(err)
		}
		same(t, "after the rollback", unpublished(t, store), []string{})
		number(t, store, 10)
		same(t, "in the end", unpublished(t, store), []string{"1 a"})
	})
}

// TestConcurrentAppends appends ten thousand entries in many concurrent changes while
// two relays number them. Each entry must have one number, and none may be missing.
func TestConcurrentAppends(t *testing.T) {
	const writers, changes, perChange = 20, 25, 20
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		var g, relays errgroup.Group
		wake := make(chan struct{}, 1)
		for w := range writers {
			g.Go(func() error {
				for c := range changes {
					if err := appendChange(t.Context(), store, w, c*perChange, perChange); err != nil {
						return err
					}
					select {
					case wake <- struct{}{}:
					default:
					}
				}
				return nil
			})
		}
		for range 2 {
			relays.Go(func() error { return numberWhenNotified(t.Context(), store, wake) })
		}
		err := g.Wait()
		close(wake)
		if err := errors.Join(err, relays.Wait()); err != nil {
			t.Fatal(err)
		}
		checkNumbers(t, store, writers, changes*perChange)
	})
}

func appendChange(ctx context.Context, store *models.Store, writer, first, n int) error {
	return store.Tx(ctx, func(tx *models.Tx) error {
		for i := range n {
			if err := tx.AppendJournal(entry(fmt.Sprintf("%d-%d", writer, first+i), oneChannel)); err != nil {
				return err
			}
		}
		return nil
	})
}

// numberWhenNotified numbers until wake is closed and nothing is left.
func numberWhenNotified(ctx context.Context, store *models.Store, wake <-chan struct{}) error {
	for more := true; more; {
		_, more = <-wake
		for n := 1; n > 0; {
			err := store.Tx(ctx, func(tx *models.Tx) (err error) {
				n, err = tx.NumberJournal(100)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNumbers checks the numbers against what the writers wrote: without gaps, each
// once, and each writer's entries in the order of its commits.
func checkNumbers(t *testing.T, store *models.Store, writers, each int) {
	t.Helper()
	rows, err := store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: "private-v1.companies.1"}, 0, 1<<62, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != writers*each {
		t.Fatalf("%d entries are numbered, want %d", len(rows), writers*each)
	}
	next := make([]int, writers)
	for i, r := range rows {
		if *r.Seq != int64(i+1) {
			t.Fatalf("entry %d has number %d", i+1, *r.Seq)
		}
		var w, n int
		if _, err := fmt.Sscanf(r.Name, "%d-%d", &w, &n); err != nil {
			t.Fatal(err)
		}
		if n != next[w] {
			t.Fatalf("writer %d: entry %d came where %d should", w, n, next[w])
		}
		next[w]++
	}
}

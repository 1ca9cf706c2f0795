package models_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

// entry is a journal row with a name to know it by.
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

// unpublished is what the relay has before it, as "seq name".
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
		markPublished(t, store, 1) // late: must not turn back
		if got, want := bounds(t, store), (models.JournalBounds{First: 1, LastSeq: 3, Published: 2}); got != want {
			t.Errorf("bounds = %+v, want %+v", got, want)
		}
	})
}

// TestLateCommitIsNotSteppedOver: what was written first commits last, after the
// other was numbered already.
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

// TestNumberingRolledBackIsDoneAgain: a numbering that did not commit gave none.
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

// TestConcurrentAppends: ten thousand entries of many changes at once, two relays
// numbering meanwhile: each entry has one number, and none is missing.
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
			relays.Go(func() error { return numberWhenWoken(t.Context(), store, wake) })
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

// numberWhenWoken numbers until wake is closed and nothing is left.
func numberWhenWoken(ctx context.Context, store *models.Store, wake <-chan struct{}) error {
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

// checkNumbers holds the numbers against what the writers wrote: gapless, once,
// each writer's entries in the order of its commits.
func checkNumbers(t *testing.T, store *models.Store, writers, each int) {
	t.Helper()
	rows, err := store.Read(t.Context()).ChannelJournal("private-v1.companies.1", 0, 1<<62, 1<<30)
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

func TestChannelJournal(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		appendEntries(t, store,
			entry("both", `["x","y"]`), entry("x only", `["x"]`), entry("twice the same", `["x","x"]`),
			entry("none", `[]`), entry("y only", `["y"]`))
		number(t, store, 10)
		for name, c := range map[string]struct {
			channel     string
			after, upTo int64
			limit       int
			want        []string
		}{
			"all of x":       {"x", 0, 9, 10, []string{"1 both", "2 x only", "3 twice the same"}},
			"all of y":       {"y", 0, 9, 10, []string{"1 both", "5 y only"}},
			"after a cursor": {"x", 1, 9, 10, []string{"2 x only", "3 twice the same"}},
			"up to a bound":  {"x", 0, 2, 10, []string{"1 both", "2 x only"}},
			"limited":        {"x", 0, 9, 1, []string{"1 both"}},
			"another":        {"z", 0, 9, 10, []string{}},
		} {
			rows, err := store.Read(t.Context()).ChannelJournal(c.channel, c.after, c.upTo, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			same(t, name, describe(rows), c.want)
		}
	})
}

func TestAppendRefusesWhatWouldStopTheRelay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for name, e := range map[string]*models.JournalEntry{
			"channels are no JSON":  {Channels: "private-x", Data: "{}"},
			"channels are no array": {Channels: `"private-x"`, Data: "{}"},
			"channels are numbers":  {Channels: `[1]`, Data: "{}"},
			"data is no JSON":       {Channels: `[]`, Data: "{"},
		} {
			if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.AppendJournal(e) }); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	})
}

func TestPruneKeepsTheRestWhole(t *testing.T) {
	at := func(name string, ms int64) *models.JournalEntry {
		e := entry(name, oneChannel)
		e.CreatedAtMS = ms
		return e
	}
	prune := func(t *testing.T, store *models.Store, before int64, limit int) (n int) {
		t.Helper()
		err := store.Tx(t.Context(), func(tx *models.Tx) (err error) {
			n, err = tx.PruneJournal(before, limit)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		appendEntries(t, store, at("a", 1), at("b", 2), at("young", 50), at("old behind it", 3), at("unpublished", 4))
		number(t, store, 10)
		if n := prune(t, store, 100, 10); n != 0 {
			t.Errorf("%d pruned that were never published", n)
		}
		markPublished(t, store, 4)
		if n := prune(t, store, 10, 1); n != 1 {
			t.Errorf("pruned %d in a batch of 1", n)
		}
		if n := prune(t, store, 10, 10); n != 1 {
			t.Errorf("pruned %d, want b alone", n)
		}
		if got, want := bounds(t, store), (models.JournalBounds{First: 3, LastSeq: 5, Published: 4}); got != want {
			t.Errorf("bounds = %+v, want %+v", got, want)
		}
		if n := prune(t, store, 100, 10); n != 2 {
			t.Errorf("pruned %d, want what is published", n)
		}
		rows, err := store.Read(t.Context()).ChannelJournal("private-v1.companies.1", 0, 9, 10)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the channel's journal", describe(rows), []string{"5 unpublished"})
		markPublished(t, store, 5)
		prune(t, store, 100, 10)
		if got, want := bounds(t, store), (models.JournalBounds{First: 6, LastSeq: 5, Published: 5}); got != want {
			t.Errorf("bounds of the empty journal = %+v, want %+v", got, want)
		}
		appendEntries(t, store, entry("next", oneChannel))
		number(t, store, 10)
		same(t, "numbers after all were pruned", unpublished(t, store), []string{"6 next"})
	})
}

func TestReadChangesNothingOnSQLite(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	if err := store.Read(t.Context()).AppendJournal(entry("a", oneChannel)); err == nil {
		t.Error("a read has written")
	}
}

func TestLock(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "chatcast.db")
	first, second := testdb.Open(t, url), testdb.Open(t, url)
	if err := first.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(); !errors.Is(err, models.ErrLocked) {
		t.Errorf("the second lock: %v, want ErrLocked", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(); err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
}

func TestSettings(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if _, err := store.Read(t.Context()).Setting("secret"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a setting that is not there: %v", err)
		}
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			if got, err := tx.EnsureSetting("secret", "first"); err != nil || got != "first" {
				t.Errorf("EnsureSetting = %q, %v", got, err)
			}
			if got, err := tx.EnsureSetting("secret", "second"); err != nil || got != "first" {
				t.Errorf("EnsureSetting again = %q, %v; want what is there", got, err)
			}
			return tx.SetSetting("secret", "third")
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.Read(t.Context()).Setting("secret"); err != nil || got != "third" {
			t.Errorf("Setting = %q, %v", got, err)
		}
	})
}

package models_test

import (
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

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
			rows, err := store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: c.channel}, c.after, c.upTo, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			same(t, name, describe(rows), c.want)
		}
	})
}

// TestChannelJournalPage checks where a page ends.
func TestChannelJournalPage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		appendEntries(t, store, entry("a", `["x"]`), entry("b", `["x"]`), entry("c", `["x"]`))
		number(t, store, 10)
		all, err := store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: "x"}, 0, 9, 10)
		if err != nil || len(all) != 3 {
			t.Fatalf("%d entries, %v", len(all), err)
		}
		for name, c := range map[string]struct {
			limit, size int
			want        int
			more        bool
		}{
			"all":                       {10, 1 << 20, 3, false},
			"limited":                   {3, 1 << 20, 3, true},
			"no room for any":           {10, 0, 1, true},
			"room for one":              {10, len(all[0].Data), 1, true},
			"room for a little more":    {10, len(all[0].Data) + 1, 2, true},
			"room for all but a little": {10, len(all[0].Data+all[1].Data+all[2].Data) - 1, 3, true},
		} {
			rows, more, err := store.Read(t.Context()).ChannelJournalPage(models.ChannelView{Channel: "x"}, 0, 9, c.limit, c.size)
			if err != nil || more != c.more {
				t.Errorf("%s: more is %v, %v", name, more, err)
			}
			same(t, name, describe(rows), describe(all[:c.want]))
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
		rows, err := store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: "private-v1.companies.1"}, 0, 9, 10)
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

package models_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

// appEvent is an event of an app's channel that is kept until a time.
func appEvent(app, channel, name string, until int64) models.AppEvent {
	return models.AppEvent{AppID: app, Channel: channel, Name: []byte(name), Data: []byte(name + "\x00"), ExpiresAtMS: until}
}

func appendAppEvents(t *testing.T, store *models.Store, list ...models.AppEvent) {
	t.Helper()
	if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.AppendAppEvents(list) }); err != nil {
		t.Fatal(err)
	}
}

// describeEvents lists events as "seq name".
func describeEvents(list []models.AppEvent) []string {
	texts := []string{}
	for _, e := range list {
		texts = append(texts, fmt.Sprint(e.Seq, " ", string(e.Name)))
	}
	return texts
}

func TestAppEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		appendAppEvents(t, store, appEvent("1", "x", "a", 9), appEvent("2", "x", "b", 9), appEvent("1", "y", "c", 9))
		appendAppEvents(t, store, appEvent("1", "x", "d", 9))
		read := store.Read(t.Context())
		all, more, err := read.AppEventsAfter(1, 2, 1<<20)
		if err != nil || !more {
			t.Fatal(more, err)
		}
		same(t, "all apps", describeEvents(all), []string{"2 b", "3 c"})
		if string(all[0].Data) != "b\x00" || all[0].AppID != "2" || all[0].Channel != "x" {
			t.Errorf("%+v", all[0])
		}
		ofX, more, err := read.AppChannelEvents("1", "x", 0, 9, 10, 1<<20)
		if err != nil || more {
			t.Fatal(more, err)
		}
		same(t, "a channel", describeEvents(ofX), []string{"1 a", "4 d"})
		if ofX, more, err = read.AppChannelEvents("1", "x", 0, 9, 10, 1); err != nil || !more || len(ofX) != 1 {
			t.Errorf("a page of one byte: %d, %v, %v", len(ofX), more, err)
		}
		if last, err := read.LastAppEvent(); last != 4 || err != nil {
			t.Errorf("the last is %d, %v", last, err)
		}
	})
}

// Whoever has read a number has read all lower ones, however many add events at once.
func TestAppEventsAreCommittedInOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		const writers, each = 4, 25
		var group errgroup.Group
		for w := range writers {
			group.Go(func() error {
				for i := range each {
					list := []models.AppEvent{appEvent("1", "x", fmt.Sprint(w, "-", i), 9), appEvent("2", "x", fmt.Sprint(w, "-", i), 9)}
					if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.AppendAppEvents(list) }); err != nil {
						return err
					}
				}
				return nil
			})
		}
		var reading sync.WaitGroup
		reading.Go(func() {
			for seq := int64(0); seq < writers*each*2; {
				list, _, err := store.Read(t.Context()).AppEventsAfter(seq, 7, 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range list {
					if seq++; e.Seq != seq {
						t.Errorf("%d comes after %d", e.Seq, seq-1)
						return
					}
				}
			}
		})
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		reading.Wait()
	})
}

func TestRemoveAppEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		bounds := func(app, channel string, want models.AppChannelBounds) {
			t.Helper()
			if got, err := store.Read(ctx).AppChannelBounds(app, channel, 0); got != want || err != nil {
				t.Errorf("%s of %s: %+v, %v, want %+v", channel, app, got, err, want)
			}
		}
		remove := func(want int, f func(tx *models.Tx) (int, error)) {
			t.Helper()
			var n int
			if err := store.Tx(ctx, func(tx *models.Tx) (err error) { n, err = f(tx); return err }); n != want || err != nil {
				t.Errorf("removed %d, %v, want %d", n, err, want)
			}
		}
		// The third is kept shorter than the second, as after a change of the setting.
		appendAppEvents(t, store, appEvent("1", "x", "a", 5), appEvent("1", "x", "b", 50), appEvent("1", "x", "c", 5), appEvent("1", "x", "d", 50), appEvent("2", "x", "e", 5))
		bounds("1", "x", models.AppChannelBounds{First: 1})
		remove(2, func(tx *models.Tx) (int, error) { return tx.RemoveExpiredAppEvents(5, 5, 2) })
		if any, err := store.Read(ctx).AppEventsExpired(5); !any || err != nil {
			t.Error("one expired event is left", any, err)
		}
		remove(1, func(tx *models.Tx) (int, error) { return tx.RemoveExpiredAppEvents(5, 5, 500) })
		if any, err := store.Read(ctx).AppEventsExpired(5); any || err != nil {
			t.Error("no expired event is left", any, err)
		}
		bounds("1", "x", models.AppChannelBounds{First: 4, Removed: 3})
		bounds("1", "y", models.AppChannelBounds{})
		bounds("2", "x", models.AppChannelBounds{Removed: 5})

		big := appEvent("1", "y", strings.Repeat("n", 1000), 50)
		appendAppEvents(t, store, big, big, big)
		bytes, err := store.Read(ctx).AppEventBytes()
		if err != nil || bytes["2"] != 0 || bytes["1"] < 6000 || bytes["1"] > 7000 {
			t.Fatal(bytes, err)
		}
		remove(0, func(tx *models.Tx) (int, error) { return tx.RemoveExcessAppEvents("1", bytes["1"], 8, 500) })
		remove(3, func(tx *models.Tx) (int, error) { return tx.RemoveExcessAppEvents("1", bytes["1"]-1000, 8, 500) }) // b, d, and the first big one
		remove(1, func(tx *models.Tx) (int, error) { return tx.RemoveExcessAppEvents("1", 0, 8, 1) })
		bounds("1", "y", models.AppChannelBounds{First: 8, Removed: 7})

		// Another app with the id begins without the history, and the numbers go on.
		if err := store.Tx(ctx, func(tx *models.Tx) error { return tx.CreateApp(&models.App{ID: "1", Key: "k", History: "[]"}) }); err != nil {
			t.Fatal(err)
		}
		bounds("1", "y", models.AppChannelBounds{})
		appendAppEvents(t, store, appEvent("1", "y", "f", 50))
		bounds("1", "y", models.AppChannelBounds{First: 9})
		if err := store.Tx(ctx, func(tx *models.Tx) error { return tx.DeleteApp("1") }); err != nil {
			t.Fatal(err)
		}
		if left, _, err := store.Read(ctx).AppEventsAfter(0, 10, 1<<20); len(left) > 0 || err != nil {
			t.Error(describeEvents(left), err)
		}
	})
}

// The list of channels that have lost events is bounded. A cursor of a channel that is no
// longer in it counts as too old, unless it is later than all that the list has lost.
func TestRemovedAppEventsAreBounded(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	ctx := t.Context()
	const channels = 10_002
	list := make([]models.AppEvent, channels)
	for i := range list {
		list[i] = appEvent("1", fmt.Sprint("c", i+1), "a", 1)
	}
	appendAppEvents(t, store, list...)
	for {
		var n int
		if err := store.Tx(ctx, func(tx *models.Tx) (err error) { n, err = tx.RemoveExpiredAppEvents(1, channels, 5000); return err }); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	var got []int64
	for _, channel := range []string{"c1", "c2", "c3", "c10002", "quiet"} {
		b, err := store.Read(ctx).AppChannelBounds("1", channel, 0)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Removed)
	}
	if want := []int64{2, 2, 3, 10_002, 2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A pattern that comes back begins anew. Others go on, and so does one that is said twice.
func TestAppEventRules(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		set := func(want string, patterns ...string) {
			t.Helper()
			if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.SetAppEventRules("1", patterns) }); err != nil {
				t.Fatal(err)
			}
			list, err := store.Read(t.Context()).AppEventRules("1")
			if got := fmt.Sprint(list); got != want || err != nil {
				t.Errorf("%q: %s, %v, want %s", patterns, got, err, want)
			}
			appendAppEvents(t, store, appEvent("1", "x", "a", 9))
		}
		set("[{1 a* 0} {1 b 0}]", "b", "a*", "b")
		set("[{1 b 0}]", "b")
		set("[{1 a* 2} {1 b 0}]", "a*", "b")
		set("[]")
		for step, change := range []func(tx *models.Tx) error{
			func(tx *models.Tx) error {
				return tx.CreateApp(&models.App{ID: "7", Key: "k", History: `[{"channels":"x"}]`})
			},
			func(tx *models.Tx) error {
				return tx.SaveApp(&models.App{ID: "7", Key: "k", History: `[{"channels":"y"}]`})
			},
			func(tx *models.Tx) error { return tx.DeleteApp("7") },
		} {
			if err := store.Tx(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			list, err := store.Read(t.Context()).AppEventRules("7")
			if got, want := fmt.Sprint(list), []string{"[{7 x 4}]", "[{7 y 4}]", "[]"}[step]; got != want || err != nil {
				t.Errorf("%s, %v, want %s", got, err, want)
			}
		}
	})
}

package apps_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/apps/appstest"
)

func TestMemoryIsAStore(t *testing.T) {
	appstest.StoreContract(t, func(*testing.T) appstest.Source {
		m := &appstest.Memory{}
		return appstest.Source{
			Store:  m,
			Put:    func(a apps.App) error { m.Put(a); return nil },
			Delete: func(id string) error { m.Delete(id); return nil },
		}
	})
}

// watched is a Watcher of one fixed app and a store, and the lists it brought into
// force.
type watched struct {
	*apps.Watcher
	store   *appstest.Memory
	log     bytes.Buffer
	applied []string // one entry a call: the ids, with the event_bytes of each
	refuse  error
}

func newWatched() *watched {
	w := &watched{store: &appstest.Memory{}}
	w.Watcher = apps.NewWatcher(apps.WatcherOptions{
		Store: w.store, Fixed: []apps.App{{ID: "1", Key: "fixed", Secret: "s"}}, Common: apps.Limits{EventBytes: 5},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Apply: func(list []apps.App) error {
			var ids []string
			for _, a := range list {
				ids = append(ids, fmt.Sprint(a.ID, ":", a.Limits.EventBytes))
			}
			w.applied = append(w.applied, strings.Join(ids, " "))
			return w.refuse
		},
	})
	return w
}

func stored(id string, change func(a *apps.App)) apps.App {
	a := apps.App{ID: id, Key: "key-" + id, Secret: "s"}
	change(&a)
	return a
}

func plain(*apps.App) {}

func (w *watched) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(w.applied, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("applied\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestReload(t *testing.T) {
	w := newWatched()
	reload := func() error { return w.Reload(t.Context()) }
	if err := errors.Join(reload(), reload()); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "1:5") // only once: nothing has changed
	w.store.Put(stored("a", func(a *apps.App) { a.Limits.EventBytes = 7 }))
	w.store.Put(stored("b", func(a *apps.App) { a.Key = "fixed" }))
	w.store.Put(stored("1", plain))
	w.store.Put(stored("c", func(a *apps.App) { a.Webhooks = []apps.Webhook{{URL: "ftp://x"}} }))
	w.store.Put(stored("d", func(a *apps.App) { a.Secret = "" }))
	w.refuse = errors.New("not now")
	if err := reload(); !errors.Is(err, w.refuse) {
		t.Errorf("what Apply refuses: %v", err)
	}
	w.refuse = nil
	if err := reload(); err != nil {
		t.Error(err)
	}
	w.expect(t, "1:5", "1:5 a:7", "1:5 a:7")
	for _, id := range []string{"b", "1", "c", "d"} {
		if n := strings.Count(w.log.String(), "app="+id+" error="); n != 1 {
			t.Errorf("it is said %d times that %s is not served:\n%s", n, id, &w.log)
		}
	}
	gone := errors.New("no database")
	w.store.Fail(gone)
	if err := reload(); !errors.Is(err, gone) {
		t.Errorf("a store that fails: %v", err)
	}
	w.Changed(t.Context())
	if !strings.Contains(w.log.String(), "not in force yet") {
		t.Errorf("the log: %s", &w.log)
	}
}

// Run follows changes by other processes, and logs a failing store once.
func TestRunFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(1500 * time.Millisecond)
		w.store.Put(stored("a", plain))
		time.Sleep(time.Second)
		w.store.Fail(errors.New("no database"))
		w.store.Delete("a")
		time.Sleep(5 * time.Second)
		w.store.Fail(nil)
		time.Sleep(time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		w.expect(t, "1:5", "1:5 a:5", "1:5")
		if n := strings.Count(w.log.String(), "no database"); n != 1 {
			t.Errorf("the failure is logged %d times:\n%s", n, &w.log)
		}
	})
}

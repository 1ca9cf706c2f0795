package appstest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"chatcast/broadcasting/apps"
)

// Source is a Store without apps, with functions that change it.
type Source struct {
	Store apps.Store
	// Put creates a valid app, or changes the app with its id. The store decides on
	// secrets, key and times.
	Put    func(a apps.App) error
	Delete func(id string) error
}

// StoreContract tests that a Store behaves as apps.Store requires. It calls open for
// each test.
func StoreContract(t *testing.T, open func(t *testing.T) Source) {
	for name, test := range map[string]func(t *testing.T, s *source){
		"changes": testChanges, "own list": testOwnList, "order": testOrder, "together": testTogether, "end of context": testContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, &source{open(t), t}) })
	}
}

type source struct {
	Source
	t *testing.T
}

func (s *source) put(a apps.App) {
	s.t.Helper()
	if err := s.Put(a); err != nil {
		s.t.Fatal(err)
	}
}

func (s *source) delete(id string) {
	s.t.Helper()
	if err := s.Delete(id); err != nil {
		s.t.Fatal(err)
	}
}

// load returns the apps and compares the version with AppsVersion. Nothing may change
// meanwhile.
func (s *source) load() ([]apps.App, int64) {
	s.t.Helper()
	list, version, err := s.Store.LoadApps(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if now, err := s.Store.AppsVersion(s.t.Context()); err != nil || now != version {
		s.t.Errorf("the version is %d, %v, that of the list %d", now, err, version)
	}
	return list, version
}

func full(id string) apps.App {
	a := apps.Default()
	a.ID, a.Key, a.Secret, a.Name = id, id+"-key", "the secret of "+id, "Shop ü"
	a.AllowedOrigins = []string{"https://a.example", "https://*.b.example"}
	a.SubscriptionCount, a.UserAuthentication = true, true
	a.Webhooks = []apps.Webhook{{
		URL: "https://h.example/?token=1", Events: []string{apps.CacheMiss}, Channels: []string{"presence-"},
		Headers: map[string]string{"X-A": "b"}, Single: true,
	}}
	for i, limit := range apps.Table() {
		*limit.Field(&a.Limits) = min(i+1, limit.Max)
	}
	return a
}

// settings returns a without what the store decides on.
func settings(a apps.App) apps.App {
	plain := full(a.ID)
	a.Key, a.Secret, a.OldSecret, a.OldSecretUntil = plain.Key, plain.Secret, plain.OldSecret, plain.OldSecretUntil
	a.Made, a.Updated = 0, 0
	return a
}

func testChanges(t *testing.T, s *source) {
	if list, _ := s.load(); len(list) > 0 {
		t.Fatalf("there are apps: %v", list)
	}
	_, before := s.load()
	rises := func(what string) []apps.App {
		t.Helper()
		list, version := s.load()
		if version <= before {
			t.Errorf("%s: the version went from %d to %d", what, before, version)
		}
		before = version
		return list
	}
	a := full("a")
	s.put(a)
	list := rises("an app was made")
	if len(list) != 1 || list[0].Secret == "" || list[0].Key == "" || !reflect.DeepEqual(settings(list[0]), a) {
		t.Fatalf("got %d apps, %+v", len(list), list)
	}
	made := list[0]
	a.Enabled, a.ClientEvents, a.Name, a.Webhooks, a.Limits = false, false, "", []apps.Webhook{}, apps.Limits{}
	s.put(a)
	list = rises("an app was changed")
	if len(list) != 1 || !reflect.DeepEqual(settings(list[0]), a) || list[0].Secret != made.Secret || list[0].Key != made.Key || list[0].Made != made.Made {
		t.Errorf("after the change: %+v", list)
	}
	s.delete("a")
	if list = rises("an app was deleted"); len(list) > 0 {
		t.Errorf("after the end: %v", list)
	}
}

func testOwnList(t *testing.T, s *source) {
	s.put(full("a"))
	list, _ := s.load()
	list[0].AllowedOrigins[0], list[0].Webhooks[0].URL, list[0].Webhooks[0].Headers["X-A"] = "changed", "changed", "changed"
	list[0].Webhooks[0].Events[0] = "changed"
	if list, _ = s.load(); !reflect.DeepEqual(settings(list[0]), full("a")) {
		t.Error("the store has what the caller changed")
	}
}

func testOrder(t *testing.T, s *source) {
	for _, id := range []string{"a", "b", "c"} {
		s.put(full(id))
	}
	s.put(full("a")) // a change does not make it younger
	s.delete("b")
	list, _ := s.load()
	if len(list) != 2 || list[0].ID != "a" || list[1].ID != "c" {
		t.Errorf("the order is %v", list)
	}
}

// A list that is loaded during changes is at least as new as its version.
func testTogether(t *testing.T, s *source) {
	const many = 30
	var (
		mu   sync.Mutex
		made = map[string]int64{} // by id: the version in which it is there; guarded by mu
		ends = make(chan error, 1)
	)
	go func() {
		for i := range many {
			id := fmt.Sprintf("app%02d", i)
			err := s.Put(full(id))
			if err == nil {
				var version int64
				version, err = s.Store.AppsVersion(t.Context())
				mu.Lock()
				made[id] = version
				mu.Unlock()
			}
			if err != nil {
				ends <- err
				return
			}
		}
		ends <- nil
	}()
	for ended := false; !ended; {
		select {
		case err := <-ends:
			if ended = true; err != nil {
				t.Fatal(err)
			}
		default:
		}
		list, version, err := s.Store.LoadApps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		for id, in := range made {
			if in <= version && !slices.ContainsFunc(list, func(a apps.App) bool { return a.ID == id }) {
				t.Errorf("%s is there since version %d, and not in a list of version %d", id, in, version)
			}
		}
		mu.Unlock()
	}
	if list, _ := s.load(); len(list) != many {
		t.Errorf("%d apps, want %d", len(list), many)
	}
}

func testContext(t *testing.T, s *source) {
	s.put(full("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if list, _, err := s.Store.LoadApps(ctx); err == nil {
		t.Errorf("LoadApps answers %v after the end of its context", list)
	}
	if _, err := s.Store.AppsVersion(ctx); err == nil {
		t.Error("AppsVersion answers after the end of its context")
	}
}

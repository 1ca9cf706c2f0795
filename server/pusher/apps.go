package pusher

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"chatcast/broadcasting/apps"
)

// Apps are the apps of this server, which may change while it runs. It is safe for
// concurrent use; the Apps it returns must not be changed. Each is the app as it was at
// the time of the call, so look it up again for each request.
type Apps struct {
	removed  func(appID string) // see OnRemoved
	table    atomic.Pointer[appTable]
	changing sync.Mutex // one Replace at a time
}

// OnRemoved sets a function that is called with the id of each removed app, after its
// sockets were told to go and before another app can have its id. f must not call Apps.
// OnRemoved must be called before the first change.
func (s *Apps) OnRemoved(f func(appID string)) { s.removed = f }

// appTable is all apps at one time. It is immutable, so a lookup takes no lock.
type appTable struct {
	first *appState
	byID  map[string]*appState
	byKey map[string]*appState
}

// NewApps validates list and indexes copies of its apps, limits filled in. The first
// app carries the CRM's channels.
func NewApps(list []apps.App) (*Apps, error) {
	s := &Apps{}
	s.table.Store(&appTable{})
	return s, s.Replace(list)
}

// Replace makes list the apps of this server. An app with the same id and time of
// making keeps its sockets, under its new settings; other apps are added and removed.
// The first app must stay the first. When Replace returns nil the change is in force
// for requests and new sockets, and sockets that may no longer stay were told to go:
// 4003 when their app is disabled, 4001 when it is removed, 4009 when their page's
// origin is no longer allowed. A list with an error changes nothing.
func (s *Apps) Replace(list []apps.App) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	old := s.table.Load()
	next, err := prepareAll(list)
	if err != nil {
		return err
	}
	if old.first != nil && old.first.app.Load().ID != next[0].ID {
		return fmt.Errorf("apps[0]: it must stay %q, which carries the CRM's channels", old.first.app.Load().ID)
	}
	s.remove(old, next)
	table := &appTable{byID: make(map[string]*appState, len(next)), byKey: make(map[string]*appState, len(next))}
	for i, a := range next {
		t := old.byID[a.ID]
		if t == nil || t.removed.Load() {
			t = &appState{open: map[*socket]struct{}{}, rates: a.rates}
		}
		a.rates = t.rates
		a.counters = &t.counters
		t.app.Store(a)
		table.byID[a.ID], table.byKey[a.Key] = t, t
		if i == 0 {
			table.first = t
		}
	}
	s.table.Store(table)
	for _, t := range table.byID {
		t.enforce()
	}
	return nil
}

// remove ends the apps of old that are no longer in list. Lookups still find them
// meanwhile, but no socket gets in.
func (s *Apps) remove(old *appTable, list []*App) {
	made := make(map[string]int64, len(list))
	for _, a := range list {
		made[a.ID] = a.Made
	}
	for id, t := range old.byID {
		if at, here := made[id]; here && at == t.app.Load().Made {
			continue
		}
		t.removed.Store(true)
		t.enforce()
		if s.removed != nil {
			s.removed(id)
		}
	}
}

// prepareAll returns the apps of list as they are served.
func prepareAll(list []apps.App) ([]*App, error) {
	if len(list) == 0 {
		return nil, errors.New("apps: at least one app is needed")
	}
	served := make([]*App, len(list))
	for i, a := range list {
		var err error
		if served[i], err = newApp(a); err != nil {
			return nil, fmt.Errorf("apps[%d]: %w", i, err)
		}
	}
	return served, apps.CheckUnique(list).Err()
}

// First returns the app that carries the CRM's channels.
func (s *Apps) First() *App { return s.table.Load().first.app.Load() }

// ByID returns the app with this id, nil if there is none.
func (s *Apps) ByID(id string) *App {
	if t := s.table.Load().byID[id]; t != nil {
		return t.app.Load()
	}
	return nil
}

// ByKey returns the app with this key, nil if there is none.
func (s *Apps) ByKey(key string) *App {
	if t := s.stateOf(key); t != nil {
		return t.app.Load()
	}
	return nil
}

// stateOf returns the state of the app with this key, nil if there is none.
func (s *Apps) stateOf(key string) *appState { return s.table.Load().byKey[key] }

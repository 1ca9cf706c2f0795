package pusher

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"chatcast/broadcasting/apps"
)

// Apps are the apps of this server, which may change while it runs. Safe for
// concurrent use; the Apps it hands out must not be changed. Whoever holds one
// holds the app as it was then: ask again for each request.
type Apps struct {
	removed  func(appID string) // see OnRemoved
	table    atomic.Pointer[appTable]
	changing sync.Mutex // one Replace at a time
}

// OnRemoved sets what is called with the id of each app that is removed, when its
// sockets were told to go and before another app can have its id. f must not call
// Apps. OnRemoved must be called before the first change.
func (s *Apps) OnRemoved(f func(appID string)) { s.removed = f }

// appTable is all apps at one time. Immutable, so finding one takes no lock.
type appTable struct {
	first *appState
	byID  map[string]*appState
	byKey map[string]*appState
}

// NewApps validates list and indexes copies of its apps, limits filled in. The
// first one carries the CRM's channels.
func NewApps(list []apps.App) (*Apps, error) {
	s := &Apps{}
	s.table.Store(&appTable{})
	return s, s.Replace(list)
}

// Replace makes list the apps of this server: an app of the same id, made at the
// same time, goes on with its sockets, under what it is now; others come and go. The first must stay the
// first. When it returns nil the change is in force: requests and new sockets meet
// it, and sockets that may not be here any longer were told to go, 4003 when their
// app is disabled, 4001 when it is gone, 4009 when their page's origin was taken
// out. A list with an error changes nothing.
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
			t = &appState{open: map[*socket]struct{}{}}
		}
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

// remove ends the apps of old that are not in list any more. They are still found
// meanwhile, but nobody gets in.
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

// prepareAll is list as it is served.
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

// First is the app that carries the CRM's channels.
func (s *Apps) First() *App { return s.table.Load().first.app.Load() }

// ByID finds an app by its id, nil when there is none.
func (s *Apps) ByID(id string) *App {
	if t := s.table.Load().byID[id]; t != nil {
		return t.app.Load()
	}
	return nil
}

// ByKey finds an app by its key, nil when there is none.
func (s *Apps) ByKey(key string) *App {
	if t := s.stateOf(key); t != nil {
		return t.app.Load()
	}
	return nil
}

// stateOf finds an app by its key, nil when there is none.
func (s *Apps) stateOf(key string) *appState { return s.table.Load().byKey[key] }

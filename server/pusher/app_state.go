package pusher

import (
	"sync"
	"sync/atomic"
)

// appState is an app through its changes, with its sockets on this node. One that
// was removed stays so: an app that is made again under its id has another.
type appState struct {
	app     atomic.Pointer[App] // as it is now, or was last
	removed atomic.Bool
	sockets atomic.Int64 // that have entered; those in open are among them

	mu   sync.Mutex
	open map[*socket]struct{} // guarded by mu
}

// enter counts a socket of the app if there is room for it.
func (t *appState) enter() bool {
	if limit := t.app.Load().Limits.Sockets; t.sockets.Add(1) > int64(limit) && limit > 0 {
		t.sockets.Add(-1)
		return false
	}
	return true
}

func (t *appState) leave() { t.sockets.Add(-1) }

// refuses says why a socket of a page of this origin may not be here; the zero code
// says that it may.
func (t *appState) refuses(origin string) code {
	app := t.app.Load()
	switch {
	case t.removed.Load():
		return codeUnknownApp
	case !app.Enabled:
		return codeAppDisabled
	case !app.AllowsOrigin(origin):
		return codeBadOrigin
	}
	return code{}
}

// join lists a socket that was opened, to find it when the app changes. It may
// have changed since the socket was let in, and then did not find it: so it is
// asked again here.
func (t *appState) join(k *socket) {
	t.mu.Lock()
	t.open[k] = struct{}{}
	t.mu.Unlock()
	t.closeIfRefused(k)
}

// part takes a socket that is closed off the list.
func (t *appState) part(k *socket) {
	t.mu.Lock()
	delete(t.open, k)
	t.mu.Unlock()
}

// enforce closes the sockets that may not be here any longer. It holds no lock
// meanwhile: a socket that is closed takes itself off the list.
func (t *appState) enforce() {
	if app := t.app.Load(); !t.removed.Load() && app.Enabled && app.origins.Any() {
		return // whoever is here may stay
	}
	t.mu.Lock()
	all := make([]*socket, 0, len(t.open))
	for k := range t.open {
		all = append(all, k)
	}
	t.mu.Unlock()
	for _, k := range all {
		t.closeIfRefused(k)
	}
}

func (t *appState) closeIfRefused(k *socket) {
	if refusal := t.refuses(k.origin); refusal.number != 0 {
		k.session.Close(refusal.disconnect())
	}
}

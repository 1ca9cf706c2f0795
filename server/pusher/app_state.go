package pusher

import (
	"sync"
	"sync/atomic"
)

// appState is an app across its changes, with its sockets on this node. A removed
// appState stays removed: an app made again with its id gets a new one.
type appState struct {
	rates   *rates              // of all versions
	app     atomic.Pointer[App] // the current version, or the last one
	removed atomic.Bool
	sockets atomic.Int64 // sockets that have entered, including those in open

	counters appCounters

	mu   sync.Mutex
	open map[*socket]struct{} // guarded by mu
}

// enter counts a socket of the app if there is room for it.
func (t *appState) enter() bool {
	if limit := t.app.Load().Limits.Sockets; t.sockets.Add(1) > int64(limit) && limit > 0 {
		t.sockets.Add(-1)
		t.counters.hit(limitSockets)
		return false
	}
	return true
}

func (t *appState) leave() { t.sockets.Add(-1) }

// refuses returns why a socket of a page of this origin may not stay; the zero code
// means that it may.
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

// join lists a socket that was opened, so that a change of the app finds it. The app
// may have changed after the socket was admitted and before it was listed, so join
// checks again.
func (t *appState) join(k *socket) {
	t.mu.Lock()
	t.open[k] = struct{}{}
	t.mu.Unlock()
	t.closeIfRefused(k)
}

// part removes a closed socket from the list.
func (t *appState) part(k *socket) {
	t.mu.Lock()
	delete(t.open, k)
	t.mu.Unlock()
}

// enforce closes the sockets that may not stay any longer. It holds no lock while it
// does, because a closed socket removes itself from the list.
func (t *appState) enforce() {
	if app := t.app.Load(); !t.removed.Load() && app.Enabled && app.origins.Any() {
		return // every open socket may stay
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

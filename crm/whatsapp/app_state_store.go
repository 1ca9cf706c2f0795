package whatsapp

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/store"
)

// partStore keeps what whatsmeow reads of a part of the shared state aside, until its changes
// are handled. whatsmeow itself stores that it has read a change before it tells of it, and
// never tells again: a change whose telling is cut off would be lost.
//
//	whatsmeow     read, store the new version, tell
//	partStore     read, keep it aside,         tell, store the new version
//
// A connection or a process that ends in between has stored nothing, and the next one reads
// the same changes again. whatsmeow does not say when it has told everything, so only readPart
// reads: partStore refuses what whatsmeow reads by itself, and the part is read soon.
type partStore struct {
	store.AppStateStore
	s     *session
	mu    sync.Mutex
	aside map[appstate.WAPatchName]*unread // guarded by mu
}

var _ store.AppStateStore = (*partStore)(nil)

// errReadApart refuses to read a part in any other way than readPart.
var errReadApart = errors.New("whatsapp: the part is read apart from this")

// unread is what was read of a part and is not handled yet.
type unread struct {
	by      *partRead     // nil: the phone sent a copy
	over    chan struct{} // of a copy: closed when it is not kept aside any more
	whole   bool          // what is stored of the part does not count
	version uint64
	hash    [128]byte
	macs    map[string][]byte // by index; nil: removed
}

// partRead is a reading by readPart, or with sends what whatsmeow reads around a change that
// we send. It is the value of partReadKey in a context.
type partRead struct{ sends, begun bool }

type partReadKey struct{}

func readOf(ctx context.Context) *partRead {
	r, _ := ctx.Value(partReadKey{}).(*partRead)
	return r
}

// GetAppStateVersion implements store.AppStateStore. Every reading begins here.
func (p *partStore) GetAppStateVersion(ctx context.Context, part string) (uint64, [128]byte, error) {
	name, r := appstate.WAPatchName(part), readOf(ctx)
	if r == nil && (!p.s.states.copyAsked(name) || p.copyOf(name) != nil) {
		p.s.wantPart(name)
		return 0, [128]byte{}, errReadApart
	}
	if r != nil && r.sends && r.begun {
		return 0, [128]byte{}, errReadApart
	}
	if r != nil {
		r.begun = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.aside[name]; u != nil {
		return u.version, u.hash, nil
	}
	if p.s.states.isWhole(name) {
		return 0, [128]byte{}, nil
	}
	return p.AppStateStore.GetAppStateVersion(ctx, part)
}

// DeleteAppStateVersion implements store.AppStateStore: the part is being read as a whole.
func (p *partStore) DeleteAppStateVersion(ctx context.Context, part string) error {
	name, r := appstate.WAPatchName(part), readOf(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r != nil && !r.sends:
		p.s.states.setWhole(name)
		p.forget(name)
	case r == nil && p.s.states.copyAsked(name): // it has come
		p.forget(name)
		p.aside[name] = &unread{whole: true, macs: map[string][]byte{}, over: make(chan struct{})}
	default:
		return errReadApart
	}
	return nil
}

// reading calls f with what ctx's reading keeps aside.
func (p *partStore) reading(ctx context.Context, part string, f func(u *unread)) error {
	name, r := appstate.WAPatchName(part), readOf(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.aside[name]
	if u == nil && r != nil && !r.sends {
		u = &unread{by: r, whole: p.s.states.isWhole(name), macs: map[string][]byte{}}
		p.aside[name] = u
	}
	if u == nil || u.by != r {
		return errReadApart
	}
	f(u)
	return nil
}

// PutAppStateVersion implements store.AppStateStore.
func (p *partStore) PutAppStateVersion(ctx context.Context, part string, version uint64, hash [128]byte) error {
	return p.reading(ctx, part, func(u *unread) { u.version, u.hash = version, hash })
}

// PutAppStateMutationMACs implements store.AppStateStore.
func (p *partStore) PutAppStateMutationMACs(ctx context.Context, part string, _ uint64, added []store.AppStateMutationMAC) error {
	return p.reading(ctx, part, func(u *unread) {
		for _, mac := range added {
			u.macs[string(mac.IndexMAC)] = mac.ValueMAC
		}
	})
}

// DeleteAppStateMutationMACs implements store.AppStateStore.
func (p *partStore) DeleteAppStateMutationMACs(ctx context.Context, part string, removed [][]byte) error {
	return p.reading(ctx, part, func(u *unread) {
		for _, index := range removed {
			u.macs[string(index)] = nil
		}
	})
}

// GetAppStateMutationMAC implements store.AppStateStore.
func (p *partStore) GetAppStateMutationMAC(ctx context.Context, part string, index []byte) ([]byte, error) {
	name := appstate.WAPatchName(part)
	p.mu.Lock()
	defer p.mu.Unlock()
	whole := p.s.states.isWhole(name)
	if u := p.aside[name]; u != nil {
		if mac, ok := u.macs[string(index)]; ok {
			return mac, nil
		}
		whole = u.whole
	}
	if whole {
		return nil, nil
	}
	return p.AppStateStore.GetAppStateMutationMAC(ctx, part, index)
}

// known reports whether the part was read before.
func (p *partStore) known(ctx context.Context, name appstate.WAPatchName) bool {
	version, _, err := p.AppStateStore.GetAppStateVersion(ctx, string(name))
	return err != nil || version > 0
}

// drop forgets what a reading has kept aside.
func (p *partStore) drop(name appstate.WAPatchName, r *partRead) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.aside[name]; u != nil && u.by == r {
		p.forget(name)
	}
}

// forget must be called with mu held.
func (p *partStore) forget(name appstate.WAPatchName) {
	if u := p.aside[name]; u != nil && u.over != nil {
		close(u.over)
	}
	delete(p.aside, name)
}

// copyOf returns the copy of a part that is being handled, or nil.
func (p *partStore) copyOf(name appstate.WAPatchName) *unread {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.aside[name]; u != nil && u.by == nil {
		return u
	}
	return nil
}

// copying reports whether a copy of a part is being handled.
func (p *partStore) copying() bool {
	return slices.ContainsFunc(appstate.AllPatchNames[:], func(name appstate.WAPatchName) bool { return p.copyOf(name) != nil })
}

// awaitCopy waits until a copy of a part is handled, and forgets one with which whatsmeow does
// not go on. It reports whether there was one. It returns ctx's error when ctx ends first.
func (p *partStore) awaitCopy(ctx context.Context, name appstate.WAPatchName, most time.Duration) (waited bool, err error) {
	u := p.copyOf(name)
	if u == nil {
		return false, nil
	}
	stuck := time.NewTimer(most)
	defer stuck.Stop()
	select {
	case <-u.over:
	case <-stuck.C:
		p.drop(name, nil)
	case <-ctx.Done():
		return true, ctx.Err()
	}
	return true, nil
}

// macsAtOnce is how many changes are removed by one statement.
const macsAtOnce = 400

// commit stores what a reading has kept aside. It must be called when that is handled.
func (p *partStore) commit(ctx context.Context, name appstate.WAPatchName, r *partRead) error {
	p.mu.Lock()
	u := p.aside[name]
	p.mu.Unlock()
	if u == nil && r != nil { // there was nothing new
		return nil
	}
	if u == nil || u.by != r { // another reading has begun
		return errReadApart
	}
	var added []store.AppStateMutationMAC
	var removed [][]byte
	for _, index := range slices.Sorted(maps.Keys(u.macs)) {
		if mac := u.macs[index]; mac != nil {
			added = append(added, store.AppStateMutationMAC{IndexMAC: []byte(index), ValueMAC: mac})
		} else {
			removed = append(removed, []byte(index))
		}
	}
	part, inner := string(name), p.AppStateStore
	err := p.s.m.container.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		if u.whole {
			if err := inner.DeleteAppStateVersion(ctx, part); err != nil {
				return err
			}
		}
		if err := inner.PutAppStateVersion(ctx, part, u.version, u.hash); err != nil {
			return err
		}
		for some := range slices.Chunk(removed, macsAtOnce) {
			if err := inner.DeleteAppStateMutationMACs(ctx, part, some); err != nil {
				return err
			}
		}
		return inner.PutAppStateMutationMACs(ctx, part, u.version, added)
	})
	if err == nil {
		p.s.states.stored(name)
		p.drop(name, r)
	}
	return err
}

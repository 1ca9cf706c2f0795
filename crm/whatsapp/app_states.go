package whatsapp

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow/appstate"
)

// lookAgain is after how long the parts are looked at again when the connection ended meanwhile.
const lookAgain = 10 * time.Minute

// partRepair is a repair under way.
type partRepair struct {
	read       chan struct{} // told when the whole part was read
	unreadable atomic.Bool   // the whole part came, and cannot be decoded
	copied     atomic.Bool   // by a copy of the phone
	asked      bool          // the phone was asked for a key or a copy
	key        bool          // guarded by appStates.mu: it waits for a key, and the part may be read
}

// appStates are the readings and repairs of one line. They outlive its connections.
type appStates struct {
	reading turn                      // held while a part is read
	running atomic.Int32              // repairs: what comes meanwhile is news, not history
	store   atomic.Pointer[partStore] // of the latest connection

	mu      sync.Mutex
	tried   map[appstate.WAPatchName][]time.Time // guarded by mu: when repairs began
	waiting map[appstate.WAPatchName]*partRepair // guarded by mu: under way
	wanted  map[appstate.WAPatchName]*wantedPart // guarded by mu: has to be read
	whole   map[appstate.WAPatchName]bool        // guarded by mu: what is stored of it does not count
	copies  map[appstate.WAPatchName]bool        // guarded by mu: the phone was asked, and it was not read since
	looked  time.Time                            // guarded by mu: when all parts were looked at
}

func newAppStates() *appStates {
	return &appStates{
		reading: newTurn(), tried: map[appstate.WAPatchName][]time.Time{}, waiting: map[appstate.WAPatchName]*partRepair{},
		wanted: map[appstate.WAPatchName]*wantedPart{}, whole: map[appstate.WAPatchName]bool{}, copies: map[appstate.WAPatchName]bool{},
	}
}

// begin begins a repair. It returns nil when one is under way or too many were tried.
func (a *appStates) begin(name appstate.WAPatchName) *partRepair {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried[name] = slices.DeleteFunc(a.tried[name], func(t time.Time) bool { return time.Since(t) > repairWhile })
	if a.waiting[name] != nil {
		return nil
	}
	if len(a.tried[name]) >= repairTries {
		if w := a.wanted[name]; w != nil {
			w.fault = nil // it is read, but not repaired
		}
		return nil
	}
	a.tried[name] = append(a.tried[name], time.Now())
	r := &partRepair{read: make(chan struct{}, 1)}
	a.waiting[name] = r
	a.running.Add(1)
	return r
}

// end ends a repair, with the fault that it was for when it has to be tried again. One that
// was cut off is tried again on the next connection. It does not count as a try before the
// phone was asked: the phone must not be asked without end, by connections that end while it
// is.
func (a *appStates) end(name appstate.WAPatchName, r *partRepair, fault error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, name)
	a.running.Add(-1)
	if fault == nil {
		return
	}
	w := a.wantedLocked(name)
	w.fault, w.again.until = fault, time.Time{} // the reading that met the fault has failed
	if r.asked {                                // it counts
		return
	}
	a.failedLocked(name, true)
	if tried := a.tried[name]; len(tried) > 0 {
		a.tried[name] = tried[:len(tried)-1]
	}
}

// gaveUp notes that a repair has failed. The whole part is read with its next change.
func (a *appStates) gaveUp(name appstate.WAPatchName, asked int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.wanted[name]; w != nil {
		w.fault = nil
		if w.asked == asked {
			a.failedLocked(name, false)
		}
	}
}

// lookSoon must be called with mu held.
func (a *appStates) lookSoon() { a.looked = time.Now().Add(lookAgain - repairWhile) }

// awaitKey lets a part be read whose repair waits for a key.
func (a *appStates) awaitKey(r *partRepair) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.asked, r.key = true, true
}

// complete notes that a whole part was read and handled, or a copy of it.
func (a *appStates) complete(name appstate.WAPatchName, copied bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.copies, name)
	if w := a.wanted[name]; w != nil {
		w.fault = nil
	}
	if r := a.waiting[name]; r != nil {
		r.copied.Store(copied)
		notify(r.read)
	}
}

func (a *appStates) setWhole(name appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.whole[name] = true
}

// isWhole reports whether a part has to be read as a whole.
func (a *appStates) isWhole(name appstate.WAPatchName) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.whole[name]
}

// stored notes that it is stored how far a part was read.
func (a *appStates) stored(name appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.whole, name)
}

func (a *appStates) askCopy(name appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.copies[name] = true
}

// copyAsked reports whether the phone may send a copy of a part. It may be slow: the copy
// counts on a later connection too.
func (a *appStates) copyAsked(name appstate.WAPatchName) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.copies[name]
}

// repairing reports whether a part is being repaired, or a copy is being handled.
func (a *appStates) repairing() bool {
	parts := a.store.Load()
	return a.running.Load() > 0 || parts != nil && parts.copying()
}

// unreadable notes that a whole part came and cannot be decoded, and reports whether a repair
// has asked for it.
func (a *appStates) unreadable(name appstate.WAPatchName) (asked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.waiting[name]
	if r != nil {
		r.unreadable.Store(true)
	}
	return r != nil
}

package whatsapp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types/events"
)

// The phone and the devices of an account share names, labels, archived chats and other
// settings in a few parts, each a log of encrypted changes. A device that lost a key or
// missed a change can read none that come after it. It repairs a part by reading the whole
// part again, and if that cannot be read either, by asking the phone for a copy.

const (
	repairTries = 3              // of a part in repairWhile
	repairWhile = 24 * time.Hour // also: how often the parts are looked at while nothing changes
)

// repairs counts the repairs of all lines by their results.
type repairs struct{ reread, copied, failed atomic.Uint64 }

// Repairs returns how often a part of the state that the phones share could not be read,
// by what came of it: reread, copied, or failed.
func (m *Messenger) Repairs() map[string]uint64 {
	r := &m.repairs
	return map[string]uint64{"reread": r.reread.Load(), "copied": r.copied.Load(), "failed": r.failed.Load()}
}

// appStates are the repairs of one line.
type appStates struct {
	running atomic.Int32 // repairs: what comes meanwhile is news, not history

	mu      sync.Mutex
	tried   map[appstate.WAPatchName][]time.Time   // guarded by mu: when repairs began
	waiting map[appstate.WAPatchName]chan struct{} // guarded by mu: of the repairs under way; told when the part was read
	looked  time.Time                              // guarded by mu: when all parts were looked at
}

func newAppStates() *appStates {
	return &appStates{tried: map[appstate.WAPatchName][]time.Time{}, waiting: map[appstate.WAPatchName]chan struct{}{}}
}

// begin begins a repair, unless one is under way or too many were tried.
func (a *appStates) begin(name appstate.WAPatchName) (read chan struct{}, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried[name] = slices.DeleteFunc(a.tried[name], func(t time.Time) bool { return time.Since(t) > repairWhile })
	if a.waiting[name] != nil || len(a.tried[name]) >= repairTries {
		return nil, false
	}
	a.tried[name] = append(a.tried[name], time.Now())
	read = make(chan struct{}, 1)
	a.waiting[name] = read
	a.running.Add(1)
	return read, true
}

func (a *appStates) end(name appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, name)
	a.running.Add(-1)
}

// complete notes that a whole part was read.
func (a *appStates) complete(name appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if read := a.waiting[name]; read != nil {
		notify(read)
	}
}

// ofThePast reports whether a change of a whole part is from before the account was
// connected: after a repair it may be one that was missed.
func (s *session) ofThePast(whole bool) bool { return whole && s.states.running.Load() == 0 }

// repair repairs a part that could not be read. It runs beside the handlers, because
// whatsmeow holds the lock of the parts while it tells of the fault.
func (s *session) repair(ctx context.Context, cli *whatsmeow.Client, name appstate.WAPatchName, fault error) {
	read, ok := s.states.begin(name)
	if !ok {
		s.log.Info("a part of the shared state is not repaired again for now", "part", name, "error", fault)
		return
	}
	defer s.states.end(name)
	s.log.Warn("what the owner does on the phone cannot be read; it is being repaired", "part", name, "error", fault)
	err := cli.FetchAppState(ctx, name, true, false)
	if errors.Is(err, appstate.ErrKeyNotFound) { // whatsmeow has asked the phone for it, and reads the part when it comes
		err = s.awaitPart(ctx, read)
	}
	if err == nil {
		s.m.repairs.reread.Add(1)
		s.log.Info("a part of the shared state was read again", "part", name)
		return
	}
	if ctx.Err() != nil {
		return
	}
	s.log.Warn("a part of the shared state cannot be read at all; the phone is asked for a copy", "part", name, "error", err)
	select {
	case <-read: // of an earlier try
	default:
	}
	_, err = cli.SendPeerMessage(ctx, whatsmeow.BuildAppStateRecoveryRequest(name))
	if err == nil {
		err = s.awaitPart(ctx, read)
	}
	switch {
	case err == nil:
		s.m.repairs.copied.Add(1)
		s.log.Info("a part of the shared state was copied from the phone", "part", name)
	case ctx.Err() == nil:
		s.m.repairs.failed.Add(1)
		s.log.Error("a part of the shared state could not be repaired; what the owner does on the phone is not known", "part", name, "error", err)
	}
}

var errNoCopy = errors.New("whatsapp: the phone did not answer in time")

// awaitPart waits until a whole part was read.
func (s *session) awaitPart(ctx context.Context, read <-chan struct{}) error {
	limited, cancel := context.WithTimeout(ctx, s.m.times.repair)
	defer cancel()
	select {
	case <-read:
		return nil
	case <-limited.Done():
		return errNoCopy
	}
}

// lookAtStates reads what is new in all parts, once a day: whatsmeow does not tell when a
// key is missing that the phone does not send, nor when a notification got lost.
func (s *session) lookAtStates(ctx context.Context, cli *whatsmeow.Client) {
	s.states.mu.Lock()
	due := time.Since(s.states.looked) > repairWhile
	if due {
		s.states.looked = time.Now()
	}
	s.states.mu.Unlock()
	if !due {
		return
	}
	if key, err := cli.Store.AppStateKeys.GetLatestAppStateSyncKeyID(ctx); err != nil || key == nil {
		return // just paired: the phone sends the first key by itself
	}
	for _, name := range appstate.AllPatchNames {
		err := cli.FetchAppState(ctx, name, false, false)
		if errors.Is(err, appstate.ErrKeyNotFound) {
			s.repair(ctx, cli, name, err)
		} else if err != nil {
			s.log.Debug("a part of the shared state was not read", "part", name, "error", err)
		}
	}
}

// stateFault handles a part that could not be read, which is no part of a repair.
func (s *session) stateFault(ctx context.Context, cli *whatsmeow.Client, e *events.AppStateSyncError) {
	s.helpers.Go(func() { s.repair(ctx, cli, e.Name, e.Error) })
}

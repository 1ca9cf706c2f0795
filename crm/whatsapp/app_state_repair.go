package whatsapp

import (
	"context"
	"errors"
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

// ofThePast reports whether a change of a whole part is from before the account was
// connected: after a repair it may be one that was missed.
func (s *session) ofThePast(whole bool) bool { return whole && !s.states.repairing() }

// besideStates runs f beside the handlers, because whatsmeow holds the lock of the parts while
// it tells of a fault. The connection's end ends f's context, and the next one begins after f:
// two clients must not read the same part.
func (s *session) besideStates(cli *whatsmeow.Client, f func(ctx context.Context)) {
	life := s.lifeOf(cli)
	if life == nil {
		return
	}
	s.helpers.Go(func() {
		if !life.begin() {
			return
		}
		defer life.works.Done()
		f(life.ctx)
	})
}

// repair repairs a part that could not be read.
func (s *session) repair(ctx context.Context, cli *whatsmeow.Client, name appstate.WAPatchName, fault error) {
	remembered := s.states.faultOf(name) != nil
	r := s.states.begin(name)
	if r == nil {
		s.log.Info("a part of the shared state is not repaired again for now", "part", name, "error", fault)
		if remembered { // something new may have come while it waited for that
			s.readWanted()
		}
		return
	}
	var again error
	asked := s.states.askedFor(name)
	defer func() {
		if s.states.end(name, r, again); again == nil {
			s.readWanted() // what was wanted meanwhile
		}
	}()
	s.log.Warn("what the owner does on the phone cannot be read; it is being repaired", "part", name, "error", fault)
	err := s.readPart(ctx, cli, name, true)
	unreadable := r.unreadable.Load()
	if errors.Is(err, appstate.ErrKeyNotFound) { // whatsmeow has asked the phone for it, and the part is read when it comes
		s.states.awaitKey(r)
		s.readWanted() // it may have come already
		err = s.awaitPart(ctx, r)
		unreadable = err != nil
	}
	if err != nil && unreadable && !s.cutOff(ctx, cli) {
		err = s.copyPart(ctx, cli, name, r, err)
	}
	switch {
	case err == nil && r.copied.Load():
		s.log.Info("a part of the shared state was copied from the phone", "part", name)
	case err == nil:
		s.m.repairs.reread.Add(1)
		s.log.Info("a part of the shared state was read again", "part", name)
	case s.cutOff(ctx, cli):
		again = fault
	default: // refused or not answered
		s.states.gaveUp(name, asked)
		s.m.repairs.failed.Add(1)
		s.log.Error("a part of the shared state could not be repaired; what the owner does on the phone is not known", "part", name, "error", err)
	}
}

// copyPart asks the phone for a copy of a part that cannot be read.
func (s *session) copyPart(ctx context.Context, cli *whatsmeow.Client, name appstate.WAPatchName, r *partRepair, fault error) error {
	s.log.Warn("a part of the shared state cannot be read at all; the phone is asked for a copy", "part", name, "error", fault)
	select {
	case <-r.read: // of an earlier try
	default:
	}
	own := cli.Store.GetJID().ToNonAD()
	if own.IsEmpty() {
		return whatsmeow.ErrNotLoggedIn
	}
	r.asked = true
	s.states.askCopy(name)
	_, err := s.transmit(ctx, cli, own, whatsmeow.BuildAppStateRecoveryRequest(name), whatsmeow.SendRequestExtra{Peer: true})
	if err == nil {
		err = s.awaitPart(ctx, r)
	}
	return err
}

var errNoCopy = errors.New("whatsapp: the phone did not answer in time")

// awaitPart waits until a whole part was read.
func (s *session) awaitPart(ctx context.Context, r *partRepair) error {
	limited, cancel := context.WithTimeout(ctx, s.m.times.repair)
	defer cancel()
	select {
	case <-r.read:
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
	defer func() {
		if ctx.Err() != nil {
			s.states.mu.Lock()
			defer s.states.mu.Unlock()
			s.states.lookSoon()
		}
	}()
	for _, name := range appstate.AllPatchNames {
		err := s.readPart(ctx, cli, name, false)
		if errors.Is(err, appstate.ErrKeyNotFound) {
			s.repair(ctx, cli, name, err)
		} else if err != nil {
			s.log.Debug("a part of the shared state was not read", "part", name, "error", err)
		}
	}
}

// stateFault handles a part that could not be read.
func (s *session) stateFault(cli *whatsmeow.Client, e *events.AppStateSyncError) {
	if errors.Is(e.Error, errReadApart) { // it can, but not in this way
		s.wantPart(e.Name)
		return
	}
	if e.FullSync && s.states.unreadable(e.Name) {
		return // the repair goes on with a copy
	}
	s.besideStates(cli, func(ctx context.Context) { s.repair(ctx, cli, e.Name, e.Error) })
}

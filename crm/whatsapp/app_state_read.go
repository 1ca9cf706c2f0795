package whatsapp

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types/events"
)

// wantedPart is a part that has to be read, on this connection or on the next one.
type wantedPart struct {
	fault error // it has to be repaired; nil: only what is new is read
	asked int   // how often it was wanted
	cut   int   // readings in a row that were cut off
	again pause // after a reading that failed
}

// want notes that a part has something new.
func (a *appStates) want(name appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.wantedLocked(name)
	w.asked++
	w.again.until = time.Time{}
}

// wantedLocked must be called with mu held.
func (a *appStates) wantedLocked(name appstate.WAPatchName) *wantedPart {
	if a.wanted[name] == nil {
		a.wanted[name] = &wantedPart{}
	}
	return a.wanted[name]
}

// due returns the parts that have to be read now.
func (a *appStates) due() (due []appstate.WAPatchName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.wanted)) {
		if r := a.waiting[name]; a.wanted[name].again.left() == 0 && (r == nil || r.key) {
			due = append(due, name)
		}
	}
	return due
}

// faultOf returns why a wanted part has to be repaired, or nil. It is nil while it is repaired.
func (a *appStates) faultOf(name appstate.WAPatchName) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.wanted[name]; w != nil && a.waiting[name] == nil {
		return w.fault
	}
	return nil
}

// askedFor returns how often a part was wanted, for done.
func (a *appStates) askedFor(name appstate.WAPatchName) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.wanted[name]; w != nil {
		return w.asked
	}
	return 0
}

// done notes that a part was read and handled. It stays wanted when there is something new
// since the reading began.
func (a *appStates) done(name appstate.WAPatchName, asked int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.wanted[name]; w != nil && w.asked == asked {
		delete(a.wanted, name)
	} else if w != nil {
		*w = wantedPart{asked: w.asked}
	}
}

// failed lets a part wait that could not be read, so that WhatsApp is not asked again and
// again. The first reading that was cut off is repeated on the next connection; when that is
// cut off too, the reading may be what ends the connections. It does not wait when it was
// wanted again since the reading began: a missing key may have come.
func (a *appStates) failed(name appstate.WAPatchName, asked int, cutOff bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.wanted[name]; w == nil || w.asked == asked {
		a.failedLocked(name, cutOff)
	}
}

// failedLocked must be called with mu held.
func (a *appStates) failedLocked(name appstate.WAPatchName, cutOff bool) {
	switch w := a.wantedLocked(name); {
	case !cutOff:
		w.again.add(errNotRead, askAgain, repairWhile)
	case w.cut == 0:
		w.cut++
	default:
		w.cut++
		w.again.add(errNotRead, time.Minute, lookAgain)
	}
}

var errNotRead = errors.New("whatsapp: the part was not read")

// errNotHandled reports that a change was read and could not be handled.
var errNotHandled = errors.New("whatsapp: a change of the shared state was not handled")

// wantPart reads a part soon.
func (s *session) wantPart(name appstate.WAPatchName) {
	s.states.want(name)
	s.readWanted()
}

// readWanted reads the parts that are due, beside the handlers.
func (s *session) readWanted() {
	s.helpers.Coalesce("parts", func() {
		cli := s.client()
		life := s.lifeOf(cli)
		if cli == nil || life == nil || !life.begin() {
			return // the next connection reads them
		}
		defer life.works.Done()
		for _, name := range s.states.due() {
			asked := s.states.askedFor(name)
			if fault := s.states.faultOf(name); fault != nil {
				s.besideStates(cli, func(ctx context.Context) { s.repair(ctx, cli, name, fault) })
			} else if err := s.readPart(life.ctx, cli, name, false); err != nil {
				s.log.Debug("a part of the shared state was not read", "part", name, "error", err)
				s.states.failed(name, asked, s.cutOff(life.ctx, cli))
			}
		}
	})
}

// cutOff reports whether work on a connection fails because the connection is over.
func (s *session) cutOff(ctx context.Context, cli *whatsmeow.Client) bool {
	return ctx.Err() != nil || !cli.IsConnected() || s.broken.Load()
}

// readPart reads what is new in a part, or with whole all of it. When it returns nil the
// changes are handled, and only then it is stored that they were read.
func (s *session) readPart(ctx context.Context, cli *whatsmeow.Client, name appstate.WAPatchName, whole bool) error {
	unlock, err := s.states.reading.lock(ctx) // a later reading begins where this one ends
	if err != nil {
		return err
	}
	defer unlock()
	parts, ok := cli.Store.AppState.(*partStore)
	if !ok {
		return whatsmeow.ErrNotLoggedIn
	}
	for tries := 0; ; tries++ {
		waited, err := parts.awaitCopy(ctx, name, s.m.times.repair)
		if err != nil {
			return err
		}
		if waited || tries > 0 { // the copy may have come in place of the whole part
			whole = s.states.isWhole(name)
		}
		if err := s.readAlone(ctx, cli, parts, name, whole); tries > 0 || !errors.Is(err, errReadApart) {
			return err
		}
	}
}

// readAlone is readPart while no other part is read and no copy is being handled. It returns
// errReadApart when a copy has come meanwhile.
func (s *session) readAlone(ctx context.Context, cli *whatsmeow.Client, parts *partStore, name appstate.WAPatchName, whole bool) error {
	asked, r := s.states.askedFor(name), &partRead{}
	defer parts.drop(name, r)
	if (whole || s.states.isWhole(name)) && parts.known(ctx, name) {
		s.states.running.Add(1)
		defer s.states.running.Add(-1)
	}
	//lint:ignore SA1019 whatsmeow exports no other way to read a part and handle its changes oneself
	changes, err := cli.DangerousInternals().FetchAppState(context.WithValue(ctx, partReadKey{}, r), name, whole, false)
	if err != nil {
		return err
	}
	for _, evt := range changes {
		if !s.handle(ctx, cli, evt) {
			return errNotHandled
		}
	}
	if err := parts.commit(ctx, name, r); err != nil {
		return err
	}
	s.states.done(name, asked)
	if n := len(changes); n > 0 {
		if _, all := changes[n-1].(*events.AppStateSyncComplete); all {
			s.states.complete(name, false)
		}
	}
	return nil
}

// partComplete stores that a copy of a part was handled. What readPart reads, it completes
// itself.
func (s *session) partComplete(ctx context.Context, cli *whatsmeow.Client, e *events.AppStateSyncComplete) (kept bool) {
	parts, ok := cli.Store.AppState.(*partStore)
	if !ok || !e.Recovery {
		return true
	}
	switch err := parts.commit(ctx, e.Name, nil); {
	case errors.Is(err, errReadApart): // the part is being read again
		return true
	case err != nil:
		s.log.Warn("a copy of a part of the shared state could not be stored", "part", e.Name, "error", err)
		s.breakOff() // the phone's message comes again
		return false
	}
	s.m.repairs.copied.Add(1)
	s.states.complete(e.Name, true)
	return true
}

// sendState changes the shared state. WhatsApp refuses a change when there is another one
// that was not read: it is read, and the change is sent once more.
func (s *session) sendState(ctx context.Context, cli *whatsmeow.Client, patch appstate.PatchInfo) (err error) {
	for range 2 {
		err = cli.SendAppState(context.WithValue(ctx, partReadKey{}, &partRead{sends: true}), patch)
		if !errors.Is(err, errReadApart) {
			return err
		}
		// whatsmeow began to read: our change after it was taken, or what contradicts it.
		conflict := err == errReadApart || errors.Is(err, whatsmeow.ErrAppStateUpdate)
		read := s.readPart(ctx, cli, patch.Type, false)
		if read != nil {
			s.wantPart(patch.Type)
		}
		if !conflict {
			return nil
		}
		if read != nil {
			return read
		}
	}
	return err
}

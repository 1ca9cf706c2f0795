package whatsapp

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// deadNode are the rules beside a process that has died, whose lines cannot be freed, because
// it held a lock when it was stopped.
type deadNode struct {
	*recorder
	beats, frees atomic.Int64
}

func (r *deadNode) BeatLines(_ context.Context, name, _ string, leaving bool) ([]crm.LineNode, bool, error) {
	return []crm.LineNode{{Name: name, Beat: r.beats.Add(1), Leaving: leaving}, {Name: "dead", Beat: 1}}, true, nil
}

func (r *deadNode) RemoveLines(ctx context.Context, _ crm.LineNode) (bool, error) {
	r.frees.Add(1)
	<-ctx.Done()
	return false, ctx.Err()
}

// TestBeatsGoOnWhileLinesAreFreed checks that a process keeps its own lines while it cannot
// free those of one that has died.
func TestBeatsGoOnWhileLinesAreFreed(t *testing.T) {
	w := newWorld(t)
	w.stop()
	rules := &deadNode{recorder: w.rules}
	w.serve = rules
	w.start(t, func(o *Options) { o.times = patient; o.times.lease = time.Second })
	w.pair(t)
	before := w.m.serving(testLine)
	eventually(t, "the lines of the dead process are not freed", func() bool { return rules.frees.Load() > 0 })
	beat := rules.beats.Load()
	eventually(t, "the process does not beat any more", func() bool { return rules.beats.Load() > beat+2*beats })
	if rules.frees.Load() > 1 {
		t.Error("it did not beat while the lines were to be freed")
	}
	if s := w.m.serving(testLine); s != before || !w.shop.Online() {
		t.Error("the process gave its own line up")
	}
}

// taken makes another process the owner of the line.
func (w *world) taken() {
	w.rules.change(func() {
		row := w.rules.session(testLine)
		row.LeaseOwner, row.Leased = "another", true
	})
}

// TestLineOfAnotherIsNotConnected checks that a process that believes to have the line, as
// after its machine was suspended, does not connect it when another one has it.
func TestLineOfAnotherIsNotConnected(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.awaitOnlineState(t)
	before := w.Requests("passive")
	w.taken()
	w.shop.Drop()
	w.awaitServed(t, false)
	if n := w.Requests("passive"); n != before || before == 0 {
		t.Errorf("the line was connected %d times, and then %d", before, n)
	}
}

// awaitOnlineState waits until the first login after the pairing is over.
func (w *world) awaitOnlineState(t *testing.T) {
	t.Helper()
	eventually(t, "it is not logged in", func() bool {
		s := w.m.serving(testLine)
		return s != nil && s.loggedIn.Load() && w.Requests("passive") > 0
	})
}

// TestOldKeysAreNotStored checks that a process that goes on after its lease was over, or a
// session that has been stopped, stores no keys of its line: those of the next process are
// newer.
func TestOldKeysAreNotStored(t *testing.T) {
	for name, end := range map[string]func(w *world, s *session){
		"lease over": func(w *world, _ *session) {
			w.m.mu.Lock()
			w.m.heldUntil = time.Now().Add(-time.Second)
			w.m.mu.Unlock()
		},
		"stopped": func(_ *world, s *session) { s.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			w.anna.SendText(w.shop, "hello")
			w.awaitText(t, "hello")
			s := w.m.serving(testLine)
			dev := s.client().Store
			address := w.anna.HiddenID().SignalAddress().String()
			before, err := dev.Sessions.GetManySessions(t.Context(), []string{address})
			if err != nil || before[address] == nil {
				t.Fatalf("the session is %v, %v", before, err)
			}
			end(w, s)
			if s.mayUse() {
				t.Error("the line may be used")
			}
			if err := dev.Sessions.PutManySessions(t.Context(), map[string][]byte{address: {1}}); !errors.Is(err, errOver) {
				t.Errorf("sessions are stored: %v", err)
			}
			if err := dev.SenderKeys.PutSenderKey(t.Context(), "1@g.us", "2", []byte{1}); !errors.Is(err, errOver) {
				t.Errorf("a sender key is stored: %v", err)
			}
			err = dev.EventBuffer.DoDecryptionTxn(t.Context(), func(ctx context.Context) error {
				return dev.Sessions.PutSession(ctx, address, []byte{1})
			})
			if !errors.Is(err, errOver) {
				t.Errorf("a decryption is stored: %v", err)
			}
			if err := w.m.Typing(t.Context(), testLine, anna, crm.TypingText); err == nil {
				t.Error("the line is used")
			}
			after, err := w.m.container.device(t.Context(), *dev.ID)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := after.Sessions.GetSession(t.Context(), address)
			if err != nil || string(kept) != string(before[address]) {
				t.Errorf("the session has changed: %v", err)
			}
		})
	}
}

// heldRules are rules whose database does not take a state, as when its row is locked.
type heldRules struct {
	*recorder
	held    atomic.Bool
	waiting chan struct{} // receives when a state waits
	goOn    chan struct{} // closed when it is stored
	reads   atomic.Int64
}

func (r *heldRules) SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error {
	if r.held.Load() {
		notify(r.waiting)
		<-r.goOn
	}
	return r.recorder.SetLineState(ctx, on, st)
}

func (r *heldRules) Sessions(ctx context.Context, messenger string) ([]crm.LineSession, error) {
	r.reads.Add(1)
	return r.recorder.Sessions(ctx, messenger)
}

// TestLinesAreTendedWhileAStateWaits checks that a line whose state cannot be stored does not
// keep the process from looking after the others.
func TestLinesAreTendedWhileAStateWaits(t *testing.T) {
	w := newWorld(t)
	w.stop()
	rules := &heldRules{recorder: w.rules, waiting: make(chan struct{}, 1), goOn: make(chan struct{})}
	w.serve = rules
	w.start(t, quick)
	goOn := sync.OnceFunc(func() { close(rules.goOn) })
	t.Cleanup(goOn)
	w.pair(t)
	rules.held.Store(true)
	w.shop.Drop()
	select {
	case <-rules.waiting:
	case <-testwait.Context(t).Done():
		t.Fatal("no state is stored")
	}
	before := rules.reads.Load()
	eventually(t, "the lines are not read any more", func() bool { return rules.reads.Load() > before+3 })
}

// stalledEnd are rules whose database is away when a pairing ends.
type stalledEnd struct {
	*recorder
	away atomic.Bool
}

func (r *stalledEnd) SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error {
	if r.away.Load() {
		return errSevered
	}
	return r.recorder.SetLineState(ctx, on, st)
}

func (r *stalledEnd) Release(ctx context.Context, on crm.Line, owner string) error {
	if r.away.Load() {
		return errSevered
	}
	return r.recorder.Release(ctx, on, owner)
}

// TestEndOfAPairingIsStoredLater checks that a line does not stay as one that is being paired
// when the database was away at the end of its pairing.
func TestEndOfAPairingIsStoredLater(t *testing.T) {
	w := newWorld(t)
	w.stop()
	rules := &stalledEnd{recorder: w.rules}
	w.serve = rules
	w.start(t, quick)
	w.code(t, "")
	rules.away.Store(true)
	w.m.serving(testLine).end(ending{kind: endUnpaired})
	w.awaitServed(t, false)
	if row := w.awaitState(t, crm.StatePairing); row.LeaseOwner != w.m.owner {
		t.Fatalf("the line is %+v", row)
	}
	rules.away.Store(false)
	if row := w.awaitState(t, crm.StateDisconnected); row.Detail != detailInterrupted {
		t.Errorf("the line is %+v", row)
	}
	eventually(t, "the lease is not given back", func() bool {
		row, err := w.rules.SessionOf(t.Context(), testLine)
		return err == nil && row.LeaseOwner == ""
	})
}

// TestLogoutGivesTheLeaseBack checks that a line that is logged out while no process serves it
// is free afterwards.
func TestLogoutGivesTheLeaseBack(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.shop.Replace()
	w.awaitState(t, crm.StateReplaced)
	w.awaitServed(t, false)
	if err := w.m.Logout(t.Context(), testLine); err != nil {
		t.Fatal(err)
	}
	if row, err := w.rules.SessionOf(t.Context(), testLine); err != nil || row.LeaseOwner != "" || row.Device != "" {
		t.Errorf("the line is %+v, %v", row, err)
	}
}

// justPaired are rules of a line that another process has paired and left just before its
// lease is taken.
type justPaired struct {
	*recorder
	paired atomic.Bool
}

func (r *justPaired) Lease(ctx context.Context, on crm.Line, owner string, ttl time.Duration) (bool, error) {
	if !r.paired.Swap(true) {
		r.change(func() {
			row := r.session(on)
			row.Device, row.State, row.Paired = "79990001122:7@s.whatsapp.net", crm.StateConnected, true
		})
	}
	return r.recorder.Lease(ctx, on, owner, ttl)
}

// TestPairedByAnotherMeanwhile checks that a line is not paired a second time.
func TestPairedByAnotherMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.serve = &justPaired{recorder: w.rules}
	w.start(t)
	if p := w.code(t, ""); p != (crm.Pairing{}) {
		t.Errorf("a code is shown: %+v", p)
	}
}

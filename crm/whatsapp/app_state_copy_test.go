package whatsapp

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// heldAt is rules whose commit of a label with that name waits.
type heldAt struct {
	Rules
	name    string
	reached chan struct{} // gets a value at that commit
	goOn    chan struct{}
}

func (h *heldAt) Ingest(ctx context.Context, on crm.Line, batch crm.InboundBatch) (crm.InboundResult, error) {
	if len(batch.Labels) == 1 && batch.Labels[0].Name == h.name {
		h.reached <- struct{}{}
		<-h.goOn
	}
	return h.Rules.Ingest(ctx, on, batch)
}

// TestChangeDuringACopy wants a part, or reads it, while a copy of it is handled. What is new
// after the copy is read with it, and not later.
func TestChangeDuringACopy(t *testing.T) {
	for name, ask := range map[string]func(t *testing.T, s *session) (wait func() error){
		"wanted": func(_ *testing.T, s *session) (wait func() error) {
			s.wantPart(appstate.WAPatchRegular)
			return func() error { return nil }
		},
		"read": func(t *testing.T, s *session) (wait func() error) {
			done := make(chan error, 1)
			go func() { done <- s.readPart(t.Context(), s.client(), appstate.WAPatchRegular, false) }()
			eventually(t, "the part is not read", func() bool { return len(s.states.reading) == 1 })
			return func() error { return <-done }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stop()
			rules := &heldAt{w.rules, "From a copy", make(chan struct{}), make(chan struct{})}
			w.serve = rules
			w.start(t)
			w.pair(t)
			w.readLabels(t)
			w.shop.ChangeUnread(appstate.BuildLabelEdit("8", "From a copy", 3, false), true)
			<-rules.reached
			w.shop.Hold() // the notification, which would have the part read later
			w.shop.Change(appstate.BuildLabelEdit("9", "Later", 3, false))
			wait := ask(t, w.m.serving(testLine))
			close(rules.goOn)
			if err := wait(); err != nil {
				t.Error(err)
			}
			w.awaitLabel(t, "From a copy", false)
			w.awaitLabel(t, "Later", false)
			w.awaitRepairs(t, "copied", 1)
			if n := w.shop.StateCopies(); n != 1 {
				t.Errorf("the phone was asked for %d copies", n)
			}
			w.sound(t)
		})
	}
}

// TestCopyThatIsGivenUp leaves a copy with which whatsmeow does not go on, as after a fault in
// it. The part can be read again on the same connection.
func TestCopyThatIsGivenUp(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.times.repair = 50 * time.Millisecond })
	w.pair(t)
	w.readLabels(t)
	s := w.m.serving(testLine)
	s.states.askCopy(appstate.WAPatchRegular)
	if err := s.client().Store.AppState.DeleteAppStateVersion(t.Context(), string(appstate.WAPatchRegular)); err != nil {
		t.Fatal(err)
	}
	w.shop.Hold()
	w.shop.Change(appstate.BuildLabelEdit("8", "Later", 3, false))
	s.wantPart(appstate.WAPatchRegular)
	w.awaitLabel(t, "Later", false)
	w.sound(t)
}

// TestOldLabelsWhileACopyIsAwaited reads a part for the first time while the phone does not
// answer for another one. What it holds is from before the account was connected.
func TestOldLabelsWhileACopyIsAwaited(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.m.serving(testLine).states.askCopy(appstate.WAPatchRegularLow)
	w.readLabels(t)
	w.sound(t)
}

// TestRepairWaitsForAKey repairs a part whose key is missing. The part is read when the phone
// sends the key, and no copy is asked for.
func TestRepairWaitsForAKey(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.readLabels(t)
	w.stop()
	db, err := sql.Open("sqlite", "file:"+w.db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM whatsmeow_app_state_sync_keys"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	w.shop.Hold() // the phone's key and its notifications
	w.shop.Change(appstate.BuildLabelEdit("7", "Urgent", 3, false))
	w.start(t)
	w.awaitServed(t, true)
	s := w.m.serving(testLine)
	eventually(t, "the line is not connected", s.loggedIn.Load)
	cli := s.client()
	s.besideStates(cli, func(ctx context.Context) { s.repair(ctx, cli, appstate.WAPatchRegular, appstate.ErrKeyNotFound) })
	eventually(t, "the repair does not wait for the key", func() bool {
		s.states.mu.Lock()
		defer s.states.mu.Unlock()
		r := s.states.waiting[appstate.WAPatchRegular]
		return r != nil && r.key
	})
	w.shop.Release(false)
	began := time.Now()
	w.awaitLabel(t, "Urgent", false)
	if took := time.Since(began); took > testwait.Long/2 { // a copy would come then
		t.Errorf("the part was read after %v", took)
	}
	w.awaitRepairs(t, "reread", 1)
	if n := w.shop.StateCopies(); n != 0 {
		t.Errorf("the phone was asked for %d copies", n)
	}
	w.sound(t)
}

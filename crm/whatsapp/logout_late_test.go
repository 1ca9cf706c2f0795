package whatsapp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"chatcast/crm"
)

// lateRules are rules that something happens to, once, when a state is stored.
type lateRules struct {
	*recorder
	state         string
	before, after func() error
}

func (r *lateRules) SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error {
	if st.State == r.state && r.before != nil {
		before := r.before
		r.before = nil
		if err := before(); err != nil {
			return err
		}
	}
	err := r.recorder.SetLineState(ctx, on, st)
	if st.State == r.state && r.after != nil && err == nil {
		after := r.after
		r.after = nil
		err = after()
	}
	return err
}

// TestLogoutHasTheLastWord checks that no state of a session is stored after its line was logged
// out: neither one that was being stored when the logout began, nor one that could not be stored
// before, nor the device of a phone that accepts just then.
func TestLogoutHasTheLastWord(t *testing.T) {
	device, phone := "1:7@s.whatsapp.net", "1"
	connecting := crm.LineState{State: crm.StateConnecting, Device: &device, Phone: &phone}
	serve := func(rules *lateRules) *session {
		rules.recorder = newRecorder()
		m := &Messenger{Options: Options{Log: testLog(), times: patient}, rules: rules, owner: "me", sessions: map[crm.Line]*session{}}
		s := newSession(m, testLine, newPairing(""))
		m.sessions[testLine] = s
		rules.session(testLine).LeaseOwner = "me"
		close(s.done) // its loop is not what is tested
		return s
	}
	wantLoggedOut := func(t *testing.T, rules *lateRules) {
		t.Helper()
		if row := rules.session(testLine); row.State != crm.StateLoggedOut || row.Device != "" {
			t.Errorf("the line is %+v", row)
		}
	}
	t.Run("what is being stored", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			rules := &lateRules{state: crm.StateConnecting, before: func() error { <-release; return nil }}
			s := serve(rules)
			go s.set(t.Context(), connecting)
			synctest.Wait()
			left := make(chan error, 1)
			go func() { left <- s.m.logout(t.Context(), testLine) }()
			synctest.Wait()
			close(release)
			if err := <-left; err != nil {
				t.Error(err)
			}
			synctest.Wait()
			wantLoggedOut(t, rules)
		})
	})
	t.Run("what could not be stored", func(t *testing.T) {
		rules := &lateRules{state: crm.StateConnecting, before: func() error { return errors.New("no database") }}
		s := serve(rules)
		s.set(t.Context(), connecting)
		rules.state = crm.StateLoggedOut
		rules.after = func() error { s.saveAgain(t.Context()); return nil } // as each look after the lines does
		if err := s.m.logout(t.Context(), testLine); err != nil {
			t.Error(err)
		}
		wantLoggedOut(t, rules)
	})
	t.Run("a phone that accepts", func(t *testing.T) {
		rules := &lateRules{state: crm.StateLoggedOut}
		s := serve(rules)
		s.set(t.Context(), crm.LineState{State: crm.StatePairing})
		rules.after = func() error {
			if s.saveDevice(t.Context(), device) == nil {
				t.Error("its device was stored")
			}
			return nil
		}
		if err := s.m.logout(t.Context(), testLine); err != nil {
			t.Error(err)
		}
		wantLoggedOut(t, rules)
	})
	t.Run("while the database does not answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			rules := &lateRules{state: crm.StateConnecting, before: func() error { <-release; return nil }}
			s := serve(rules)
			go s.set(t.Context(), connecting)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), toLeave(patient))
			defer cancel()
			unlinked := make(chan struct{})
			go func() { s.unlink(ctx); close(unlinked) }()
			<-unlinked // it does not wait longer than whoever asked
			close(release)
		})
	})
}

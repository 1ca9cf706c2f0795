package whatsapp

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// meanwhile are rules of a line that something happens to, once, while its lease is taken.
type meanwhile struct {
	*recorder
	before, after atomic.Pointer[func()]
}

func (r *meanwhile) Lease(ctx context.Context, on crm.Line, owner string, ttl time.Duration) (bool, error) {
	if f := r.before.Swap(nil); f != nil {
		(*f)()
	}
	mine, err := r.recorder.Lease(ctx, on, owner, ttl)
	if f := r.after.Swap(nil); f != nil {
		(*f)()
	}
	return mine, err
}

// TestLogoutOfAnEndingSession checks that a line is logged out, and free, when its session
// ends by itself meanwhile and gives its lease back.
func TestLogoutOfAnEndingSession(t *testing.T) {
	for _, when := range []string{"before the lease is taken", "after the lease is taken"} {
		t.Run(when, func(t *testing.T) {
			w := newWorld(t)
			w.stop()
			rules := &meanwhile{recorder: w.rules}
			w.serve = rules
			w.start(t)
			w.code(t, "")
			s := w.m.serving(testLine)
			end := func() {
				s.end(ending{kind: endUnpaired})
				<-s.done
			}
			if when == "before the lease is taken" {
				rules.before.Store(&end)
			} else {
				rules.after.Store(&end)
			}
			if err := w.m.Logout(testwait.Context(t), testLine); err != nil {
				t.Fatal(err)
			}
			row, err := w.rules.SessionOf(t.Context(), testLine)
			if err != nil || row.State != crm.StateLoggedOut || row.LeaseOwner != "" {
				t.Errorf("the line is %+v, %v", row, err)
			}
		})
	}
}

// TestLogoutOfAMovedLine checks that the caller does not hear of a conflict when another
// process takes the line during a logout.
func TestLogoutOfAMovedLine(t *testing.T) {
	w := newWorld(t)
	w.stop()
	rules := &meanwhile{recorder: w.rules}
	w.serve = rules
	w.start(t)
	w.pair(t)
	move := func() {
		w.rules.change(func() { w.rules.session(testLine).LeaseOwner = "another" })
	}
	rules.after.Store(&move)
	if err := w.m.Logout(testwait.Context(t), testLine); code(err) != crm.CodeUnavailable {
		t.Errorf("the logout ended with %v", err)
	}
}

// TestLogoutBetweenConnections checks that the phone does not list the device after a logout
// that came while the line had no connection, lost it, or waited for somebody to take it back.
func TestLogoutBetweenConnections(t *testing.T) {
	for name, test := range map[string]struct {
		before func(t *testing.T, w *world)
		during func(w *world) // when the logout has begun
	}{
		"while WhatsApp comes back": {
			before: func(t *testing.T, w *world) {
				w.Unavailable(true)
				w.shop.Drop()
				w.awaitState(t, crm.StateDisconnected)
			},
			during: func(w *world) { w.Unavailable(false) },
		},
		"when the proxy has changed": {
			during: func(w *world) { w.m.serving(testLine).end(ending{kind: endLost, detail: detailProxy}) },
		},
		"replaced": {
			before: func(t *testing.T, w *world) {
				w.shop.Replace()
				w.awaitState(t, crm.StateReplaced)
				w.awaitServed(t, false)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stop()
			rules := &meanwhile{recorder: w.rules}
			w.serve = rules
			w.start(t)
			w.pair(t)
			if test.before != nil {
				test.before(t, w)
			}
			if test.during != nil {
				during := func() { test.during(w) }
				rules.after.Store(&during)
			}
			if err := w.m.Logout(testwait.Context(t), testLine); err != nil {
				t.Fatal(err)
			}
			row, err := w.rules.SessionOf(t.Context(), testLine)
			if n := w.shop.Devices(); n != 0 || err != nil || row.State != crm.StateLoggedOut || row.Detail != detailLeft || row.Device != "" || row.LeaseOwner != "" {
				t.Errorf("the phone lists %d devices, the line is %+v, %v", n, row, err)
			}
		})
	}
}

// TestLogoutShortensPauses checks that a logout does not wait for the minute after which a line
// connects again that has failed for long.
func TestLogoutShortensPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := newSession(&Messenger{Options: Options{Log: testLog()}}, testLine, nil), time.Now()
		paused := make(chan error, 1)
		go func() { paused <- s.pause(t.Context(), 20) }()
		synctest.Wait()
		notify(s.leaving.hurry)
		if err := <-paused; err != nil || time.Since(began) != 0 {
			t.Errorf("a pause under way took %v, %v", time.Since(began), err)
		}
		s.loggingOut.Store(true)
		if err := s.pause(t.Context(), 20); err != nil || time.Since(began) > time.Second {
			t.Errorf("a later pause took %v, %v", time.Since(began), err)
		}
		s.loggingOut.Store(false)
		if err := s.pause(t.Context(), 20); err != nil || time.Since(began) < 30*time.Second {
			t.Errorf("without a logout it took %v, %v", time.Since(began), err)
		}
	})
}

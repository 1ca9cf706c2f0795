package whatsapp

import (
	"context"
	"sync/atomic"
	"testing"
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

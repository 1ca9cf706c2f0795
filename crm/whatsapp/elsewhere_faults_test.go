package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// otherNode are the rules beside a process that serves the line.
type otherNode struct {
	*recorder
	end, answer string         // of all calls
	calls       []crm.LineCall // guarded by recorder.mu
	called      func()
	failing     atomic.Int64 // answers that cannot be stored yet
	answered    chan crm.LineCall
}

// newOtherNode serves the line in another process, in which all calls end in one way.
func newOtherNode(t *testing.T, end, answer string) (*world, *otherNode) {
	t.Helper()
	w := newWorld(t)
	w.stop()
	r := &otherNode{recorder: w.rules, end: end, answer: answer, called: func() {}, answered: make(chan crm.LineCall, 1)}
	w.rules.change(func() {
		row := w.rules.session(testLine)
		row.State, row.Device, row.Paired, row.LeaseOwner, row.Leased = crm.StateConnected, "79990001122:7@s.whatsapp.net", true, "another", true
	})
	w.serve = r
	w.start(t)
	return w, r
}

func (r *otherNode) CallLine(_ context.Context, c crm.LineCall, _ time.Duration) error {
	r.change(func() { r.calls = append(r.calls, c) })
	r.called()
	return nil
}

func (r *otherNode) DropLineCall(context.Context, string) (end, answer string, err error) {
	return r.end, r.answer, nil
}

func (r *otherNode) AnswerLineCall(_ context.Context, c crm.LineCall) error {
	if r.failing.Add(-1) >= 0 {
		return errUnavailable
	}
	r.answered <- c
	return nil
}

func (r *otherNode) made() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

// TestCallThatIsMissing checks that a call that is not in the database any more is not made
// again: it may have been begun before, as when the clock of the database was put on and the
// call was swept.
func TestCallThatIsMissing(t *testing.T) {
	w, other := newOtherNode(t, crm.CallMissing, "")
	if _, err := w.m.CreateGroup(t.Context(), testLine, crm.GroupInput{Name: "Neighbours"}); !errors.Is(err, errOutcome) {
		t.Errorf("the caller hears %v", err)
	}
	if n := other.made(); n != 1 {
		t.Errorf("it was made %d times", n)
	}
}

// TestAnswerToAnAbandonedCall checks that an answer that is there counts, also when the
// request was given up just then: what was done has to be recorded.
func TestAnswerToAnAbandonedCall(t *testing.T) {
	w, other := newOtherNode(t, crm.CallAnswered, `{"result":"https://chat.whatsapp.com/1"}`)
	ctx, cancel := context.WithCancel(t.Context())
	other.called = cancel
	if link, err := w.m.GroupLink(ctx, testLine, "1@g.us", true); err != nil || link != "https://chat.whatsapp.com/1" {
		t.Errorf("the caller hears %q, %v", link, err)
	}
}

// TestAnswerIsStoredLater checks that an answer is stored as soon as the database is there
// again, while its caller waits.
func TestAnswerIsStoredLater(t *testing.T) {
	w, other := newOtherNode(t, "", "")
	other.failing.Store(5)
	w.m.serveCall(t.Context(), crm.LineCall{ID: "1", Caller: "another", Line: testLine, Method: picturesMethod.name, Request: `{"args":[]}`}, time.Now().Add(testwait.Long))
	select {
	case got := <-other.answered:
		if got.ID != "1" || got.Answer == "" {
			t.Errorf("answered is %+v", got)
		}
	default:
		t.Error("the answer is lost")
	}
}

// TestLineThatMoves checks what is said of a line whose process has just given it up.
func TestLineThatMoves(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.stop()
	if _, err := w.m.Groups(t.Context(), testLine, false); !errors.Is(err, errReconnecting) {
		t.Errorf("the caller hears %v", err)
	}
}

// TestCallFollowsItsLine checks that a call whose process lost the line before it did anything
// goes to the next one.
func TestCallFollowsItsLine(t *testing.T) {
	w, other := newOtherNode(t, crm.CallAnswered, "")
	moved, err := json.Marshal(w.m.do(t.Context(), crm.LineCall{Line: testLine, Method: logoutMethod.name, Request: "{\"args\":{}}"}))
	if err != nil {
		t.Fatal(err)
	}
	other.called = func() {
		if other.answer = string(moved); other.made() == 2 {
			other.answer = `{"result":{}}`
		}
	}
	if err := w.m.Logout(t.Context(), testLine); err != nil {
		t.Errorf("the caller hears %v", err)
	}
	if n := other.made(); n != 2 {
		t.Errorf("it was made %d times", n)
	}
}

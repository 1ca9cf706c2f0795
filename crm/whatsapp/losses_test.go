package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// lossClock are rules of a line whose loss they tell at a time.
type lossClock struct {
	*recorder
	at     time.Time
	told   []time.Time
	faults int   // how often they cannot tell it
	error  error // that they have then
}

func (r *lossClock) TellLoss(context.Context, crm.Line, string) (time.Duration, error) {
	if later := time.Until(r.at); later > 0 {
		return later, nil
	}
	if r.faults--; r.faults >= 0 {
		return 0, r.error
	}
	r.told = append(r.told, time.Now())
	return 0, nil
}

// TestLossIsToldInTime checks that a loss is told when the rules say, though nothing happens to
// the line then, and again after a fault of the database, but not for another process.
func TestLossIsToldInTime(t *testing.T) {
	for name, c := range map[string]struct {
		faults int
		error  error
		want   time.Duration // 0: not at all
	}{
		"at once":                   {0, nil, time.Minute},
		"after faults":              {2, errors.New("no database"), time.Minute + 2*lossAgain},
		"another process has it":    {1, &crm.Error{Code: crm.CodeConflict}, 0},
		"the line is gone":          {1, &crm.Error{Code: crm.CodeNotFound}, 0},
		"the database is not there": {1, &crm.Error{Code: crm.CodeUnavailable}, time.Minute + lossAgain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				rules := &lossClock{recorder: newRecorder(), at: began.Add(time.Minute), faults: c.faults, error: c.error}
				s := newSession(&Messenger{Options: Options{Log: testLog()}, rules: rules, owner: "me"}, testLine, nil)
				rules.session(testLine).LeaseOwner = "me"
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { s.tellLosses(ctx); close(ended) }()
				s.set(ctx, crm.LineState{State: crm.StateDisconnected})
				time.Sleep(time.Second) // of the bubble: the loss must be told without a further state
				s.set(ctx, crm.LineState{State: crm.StateConnecting})
				time.Sleep(time.Hour)
				stop()
				<-ended
				switch {
				case c.want == 0 && len(rules.told) > 0:
					t.Errorf("it is told %v", rules.told)
				case c.want > 0 && (len(rules.told) != 1 || rules.told[0].Sub(began) != c.want):
					t.Errorf("it is told %v, want after %v", rules.told, c.want)
				}
			})
		})
	}
}

// TestLossOfALine takes WhatsApp away for longer than a minute of the program's clock, with a
// restart meanwhile: clients see the line as disconnected, hear of it once, and of its return.
func TestLossOfALine(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		var ahead atomic.Int64
		h.stop()
		h.Service.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		h.m, h.stop = h.node(t, h.Service)
		h.Service.Messengers[Type] = h.m
		h.pair(t)
		since := func() (all []int64) {
			for _, ev := range h.Events(t, crm.EventMessengerStatus) {
				var item crm.MessengerStatusItem
				if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
					t.Fatal(err)
				}
				if item.LostSince != nil && item.Was != nil {
					all = append(all, *item.LostSince)
				}
			}
			return all
		}
		h.wa.Unavailable(true)
		before := time.Now().Unix()
		h.shop.Drop()
		h.awaitState(t, crm.StateDisconnected)
		h.stop()
		ahead.Store(int64(2 * time.Minute))
		if status, err := h.LineStatus(t.Context(), h.Owner, testLine); err != nil || status.State != crm.StateDisconnected || status.LostSince == nil {
			t.Errorf("while no process serves the line it is %+v, %v", status, err)
		}
		h.m, h.stop = h.node(t, h.Service)
		h.Service.Messengers[Type] = h.m
		eventually(t, "the loss is not told", func() bool { return len(since()) > 0 })
		status, err := h.LineStatus(testwait.Context(t), h.Owner, testLine)
		if err != nil || status.State != crm.StateDisconnected || status.LostSince == nil || *status.LostSince < before || *status.LostSince > time.Now().Unix() {
			t.Errorf("the line is %+v, %v", status, err)
		}
		h.wa.Unavailable(false)
		h.awaitState(t, crm.StateConnected)
		if all := since(); len(all) != 1 || all[0] != *status.LostSince {
			t.Errorf("the loss is told %v", all)
		}
		if x, err := h.SessionOf(t.Context(), testLine); err != nil || x.LostSince != nil || x.Ended == nil || x.Ended.At.Unix() != *status.LostSince {
			t.Errorf("afterwards the line is %+v, %v", x, err)
		}
	})
}

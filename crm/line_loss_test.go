package crm_test

import (
	"encoding/json"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// told returns the items of the events of the line that f causes, as JSON.
func told(t *testing.T, w *crmtest.World, f func()) (all []string) {
	t.Helper()
	mark := w.Mark(t)
	f()
	for _, ev := range w.EventsAfter(t, mark) {
		if ev.Name == crm.EventMessengerStatus {
			all = append(all, string(ev.Items(t)[0]))
		}
	}
	return all
}

// wantTold compares the events of the line that f causes with JSON, member by member of those that
// are given there. An absent member is given as null.
func wantTold(t *testing.T, w *crmtest.World, what string, f func(), want ...string) {
	t.Helper()
	got := told(t, w, f)
	if len(got) != len(want) {
		t.Fatalf("%s: %d events %s, want %d", what, len(got), got, len(want))
	}
	for i := range want {
		var g, x map[string]any
		if json.Unmarshal([]byte(got[i]), &g) != nil || json.Unmarshal([]byte(want[i]), &x) != nil {
			t.Fatalf("%s: %s, %s", what, got[i], want[i])
		}
		for name, v := range x {
			if g[name] != v {
				t.Errorf("%s: %s is %v, want %v, in %s", what, name, g[name], v, got[i])
			}
		}
	}
}

func tellLoss(t *testing.T, w *crmtest.World, owner string, want time.Duration) {
	t.Helper()
	if later, err := w.TellLoss(t.Context(), onGr, owner); later != want || err != nil {
		t.Errorf("a loss is told in %v, %v, want %v", later, err, want)
	}
}

func wantState(t *testing.T, w *crmtest.World, state string, lost *int64) {
	t.Helper()
	status, err := w.LineStatus(t.Context(), w.Reader, onGr)
	if err != nil || status.State != state || !sameTime(status.LostSince, lost) || status.Detail == "" {
		t.Errorf("the line is %s, lost since %v, %v; want %s", status.State, status.LostSince, err, state)
	}
}

func sameTime(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// TestLossThatDoesNotHeal follows a line that is not connected for longer than a minute: it is
// disconnected then until it is connected, and that is told once. A process that is started
// meanwhile knows it, also when nobody could tell it.
func TestLossThatDoesNotHeal(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const start = crmtest.Start
		lost := func(detail string) func() {
			return func() { setState(t, w, crm.LineState{State: crm.StateDisconnected, Detail: detail}) }
		}
		try := func() { setState(t, w, crm.LineState{State: crm.StateConnecting, Detail: "Connecting."}) }
		tellLoss(t, w, "", 0)
		wantTold(t, w, "the loss", lost("Lost."), `{"state":"disconnected","was":"connected","lostSince":null}`)
		tellLoss(t, w, "", time.Minute)
		w.Clock.Advance(30 * time.Second)
		wantTold(t, w, "a try", try, `{"state":"connecting","was":"disconnected","lostSince":null}`)
		w.Clock.Advance(29 * time.Second)
		tellLoss(t, w, "", time.Second)
		wantState(t, w, crm.StateConnecting, nil)
		wantTold(t, w, "before the minute is over", func() { tellLoss(t, w, "", time.Second) })

		w.Clock.Advance(time.Second)
		wantState(t, w, crm.StateDisconnected, unix(start))
		again := crmtest.Reopen(t, store)
		again.Messengers[whatsApp] = &crmtest.Connector{Sessions: again.Service}
		again.Clock.Advance(time.Minute)
		wantState(t, again, crm.StateDisconnected, unix(start))
		wantTold(t, w, "the minute is over", func() {
			var g errgroup.Group
			for range 4 { // once, whoever else asks
				g.Go(func() error {
					_, err := w.TellLoss(t.Context(), onGr, "")
					return err
				})
			}
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
		}, `{"state":"disconnected","connected":false,"was":"connecting","detail":"The connection was lost; it is being made again.","lostSince":1637319300}`)
		tellLoss(t, w, "", 0)
		wantTold(t, w, "a further try", try)
		wantTold(t, w, "a reason", lost("No network."), `{"state":"disconnected","detail":"No network.","was":null,"lostSince":1637319300}`)
		wantTold(t, w, "the same reason", func() { try(); lost("No network.")(); try() })
		wantState(t, w, crm.StateDisconnected, unix(start))
		if _, err := w.Send(t.Context(), w.Owner, chatAt(onGr, anna), saying("Hi")); err != nil { // it waits
			t.Error(err)
		}

		wantTold(t, w, "it heals", func() { setState(t, w, crm.LineState{State: crm.StateConnected}) }, `{"state":"connected","was":"disconnected","lostSince":null}`)
		wantState(t, w, crm.StateConnected, nil)
		x, err := w.SessionOf(t.Context(), onGr)
		if err != nil || x.Ended == nil || x.Ended.State != crm.StateDisconnected || x.Ended.At.Unix() != start {
			t.Errorf("the last end is %+v, %v", x.Ended, err)
		}
		wantTold(t, w, "the next loss", lost(""), `{"state":"disconnected","was":"connected","lostSince":null}`)
		tellLoss(t, w, "", time.Minute)
		setState(t, w, crm.LineState{State: crm.StateReplaced})
		tellLoss(t, w, "", 0)
		if x, err = w.SessionOf(t.Context(), onGr); err != nil || x.LostSince != nil || x.Ended.State != crm.StateReplaced || x.Ended.At != w.Clock.Now().UTC() {
			t.Errorf("the replaced line is %+v, %+v, %v", x, x.Ended, err)
		}
	})
}

// TestLossAcrossARestart checks that a line that was lost when its process ended is told as
// disconnected by the next one that has it, and by no other.
func TestLossAcrossARestart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		setState(t, w, crm.LineState{State: crm.StateDisconnected})
		w.Clock.Advance(10 * time.Minute)
		if mine, err := w.Lease(t.Context(), onGr, "next", time.Hour); err != nil || !mine {
			t.Fatal(mine, err)
		}
		_, err := w.TellLoss(t.Context(), onGr, "before")
		wantCode(t, "a loss of another's line", err, crm.CodeConflict, "")
		wantTold(t, w, "the next process", func() {
			if err := w.SetLineState(t.Context(), onGr, crm.LineState{State: crm.StateConnecting, Owner: "next"}); err != nil {
				t.Fatal(err)
			}
			tellLoss(t, w, "next", 0)
		}, `{"state":"disconnected","was":"disconnected","lostSince":1637319300}`)
		gone := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "viber"}
		if later, err := w.TellLoss(t.Context(), gone, ""); later != 0 || err != nil {
			t.Errorf("of a line without a session: %v, %v", later, err)
		}
	})
}

// TestPairingIsNoLoss checks that a line without an account is not lost, and that one whose
// account is not connected after its pairing is.
func TestPairingIsNoLoss(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	w.Connect(whatsApp)
	setState(t, w, crm.LineState{State: crm.StatePairing})
	setState(t, w, crm.LineState{State: crm.StateDisconnected})
	w.Clock.Advance(time.Hour)
	tellLoss(t, w, "", 0)
	if x, err := w.SessionOf(t.Context(), onGr); err != nil || x.LostSince != nil || x.Ended != nil {
		t.Errorf("a line that nobody paired is %+v, %v", x, err)
	}
	setState(t, w, crm.LineState{State: crm.StatePairing})
	setState(t, w, crm.LineState{State: crm.StateConnecting, Device: text("1:7@s.whatsapp.net")})
	tellLoss(t, w, "", time.Minute)
	w.Clock.Set(crmtest.Start) // the clock was set back
	setState(t, w, crm.LineState{State: crm.StateDisconnected})
	tellLoss(t, w, "", time.Minute)
}

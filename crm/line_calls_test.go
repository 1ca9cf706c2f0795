package crm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

var calledLine = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}

// served makes a process live, and lets it have the line.
func served(t *testing.T, w *crmtest.World, node string) {
	t.Helper()
	_, _, err := w.BeatLines(t.Context(), node, "grWhatsApp", false)
	mine, err2 := w.Lease(t.Context(), calledLine, node, time.Minute)
	if err != nil || err2 != nil || !mine {
		t.Fatalf("the line is not that of %s: %v, %v", node, err, err2)
	}
}

func callLine(t *testing.T, w *crmtest.World, id, node string, within time.Duration) {
	t.Helper()
	err := w.CallLine(t.Context(), crm.LineCall{ID: id, Node: node, Caller: "b", Line: calledLine, Method: "pair", Request: `{"code":1}`}, within)
	if err != nil {
		t.Fatal(err)
	}
}

// TestLineCalls checks that a call is taken once, and what its caller hears.
func TestLineCalls(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var refusal *crm.Error
		if err := w.CallLine(t.Context(), crm.LineCall{ID: "0", Node: "a", Line: calledLine}, time.Minute); !errors.As(err, &refusal) || refusal.Code != crm.CodeNotFound {
			t.Errorf("a process that does not live is asked: %v", err)
		}
		served(t, w, "a")
		ends := func(id, want, answer string) {
			t.Helper()
			if end, got, err := w.DropLineCall(t.Context(), id); err != nil || end != want || got != answer {
				t.Errorf("call %s ended as %q with %q, %v; want %q", id, end, got, err, want)
			}
		}
		over := func(id string, want bool) {
			t.Helper()
			if is, err := w.LineCallOver(t.Context(), id); err != nil || is != want {
				t.Errorf("call %s is over: %v, %v", id, is, err)
			}
		}
		take := func(node string) []crm.LineCall {
			t.Helper()
			calls, err := w.TakeLineCalls(t.Context(), node, 10)
			if err != nil {
				t.Fatal(err)
			}
			return calls
		}

		callLine(t, w, "1", "a", time.Minute)
		over("1", false)
		ends("1", crm.CallUnmade, "")
		if calls := take("a"); len(calls) != 0 {
			t.Errorf("a call that was taken back is taken: %+v", calls)
		}

		callLine(t, w, "2", "a", time.Minute)
		var calls []crm.LineCall
		var mu sync.Mutex
		var takers sync.WaitGroup
		for range 4 {
			takers.Go(func() {
				some, err := w.TakeLineCalls(t.Context(), "a", 10)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, some...)
			})
		}
		takers.Wait()
		if len(calls) != 1 || calls[0].Request != `{"code":1}` || calls[0].Line != calledLine || calls[0].Left <= 0 || calls[0].Left > time.Minute {
			t.Fatalf("taken are %+v", calls)
		}
		over("2", false)
		calls[0].Answer = `{"result":2}`
		if err := w.AnswerLineCall(t.Context(), calls[0]); err != nil {
			t.Fatal(err)
		}
		over("2", true)
		ends("2", crm.CallAnswered, `{"result":2}`)
		if err := w.AnswerLineCall(t.Context(), calls[0]); err != nil {
			t.Errorf("answering nobody: %v", err)
		}

		callLine(t, w, "3", "a", time.Minute)
		if len(take("a")) != 1 {
			t.Error("it is not taken")
		}
		if err := w.LeaveLines(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		over("3", true)
		ends("3", crm.CallUnknown, "")

		served(t, w, "a")
		callLine(t, w, "4", "a", time.Minute)
		if err := w.Release(t.Context(), calledLine, "a"); err != nil {
			t.Fatal(err)
		}
		if calls := take("a"); len(calls) != 0 {
			t.Errorf("a call to a line that has moved is taken: %+v", calls)
		}
		over("4", true)
		ends("4", crm.CallUnmade, "")

		served(t, w, "a")
		callLine(t, w, "5", "a", -time.Second)
		over("5", true)
		if calls := take("a"); len(calls) != 0 {
			t.Errorf("a late call is taken: %+v", calls)
		}
		callLine(t, w, "6", "a", -time.Hour)
		if err := w.SweepLineCalls(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := testdb.Contents(t, store)["line_calls"]; !strings.Contains(left, `"5"`) || strings.Contains(left, `"6"`) {
			t.Errorf("left are %s", left)
		}
		ends("5", crm.CallUnmade, "")
		ends("6", crm.CallMissing, "")
	})
}

// TestCallsOfABusyLine checks that the calls of one line leave room for those of others, and
// go on when the first ones are over.
func TestCallsOfABusyLine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		served(t, w, "a")
		const busy, most = 20, 16
		for i := range busy {
			callLine(t, w, fmt.Sprintf("busy %02d", i), "a", time.Minute)
		}
		made, err := w.CreateLicense(t.Context(), w.Owner, crmtest.CompanyID, "Another")
		if err == nil {
			_, err = w.AddMessenger(t.Context(), w.Owner, made.LicenseID, "grWhatsApp", "")
		}
		other := crm.Line{LicenseID: made.LicenseID, Messenger: "grWhatsApp"}
		if err == nil {
			_, err = w.Lease(t.Context(), other, "a", time.Minute)
		}
		if err == nil {
			err = w.CallLine(t.Context(), crm.LineCall{ID: "other", Node: "a", Caller: "b", Line: other, Method: "pair", Request: "{}"}, time.Hour)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct{ taken, answered int }{{most + 1, 0}, {0, 3}, {3, most - 3}, {busy - most - 3, 0}} {
			calls, err := w.TakeLineCalls(t.Context(), "a", 64)
			if err != nil || len(calls) != want.taken {
				t.Errorf("%d calls are taken, %v; want %d", len(calls), err, want.taken)
			}
			for i := range want.answered {
				if err := w.AnswerLineCall(t.Context(), crm.LineCall{ID: fmt.Sprintf("busy %02d", i), Caller: "b", Answer: "{}"}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestCallsOfALostCommit checks that calls are not taken when the commit fails that begins
// them: they would be taken again.
func TestCallsOfALostCommit(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.PostgresURL(t)))
	served(t, w, "a")
	callLine(t, w, "1", "a", time.Minute)
	db, _, err := w.Store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$",
		"CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON line_calls DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if calls, err := w.TakeLineCalls(t.Context(), "a", 10); err == nil || len(calls) != 0 {
		t.Errorf("taken are %+v, %v", calls, err)
	}
	if _, err := db.ExecContext(t.Context(), "DROP TRIGGER refuse ON line_calls"); err != nil {
		t.Fatal(err)
	}
	if calls, err := w.TakeLineCalls(t.Context(), "a", 10); err != nil || len(calls) != 1 {
		t.Errorf("then taken are %+v, %v", calls, err)
	}
}

// TestLineNews checks that processes hear of each other's lines, and of what they missed.
func TestLineNews(t *testing.T) {
	url := testdb.PostgresURL(t)
	w := crmtest.New(t, testdb.Open(t, url))
	listening, stop := context.WithCancel(t.Context())
	heard, ended := make(chan crm.LineNews, 100), make(chan error, 1)
	other := testdb.Open(t, url)
	go func() {
		ended <- other.ListenLines(listening, func(n crm.LineNews) { heard <- n })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	awaitNews := func(want crm.LineNews) {
		t.Helper()
		for {
			select {
			case n := <-heard:
				if n == want {
					return
				}
			case <-testwait.Context(t).Done():
				t.Fatalf("%+v is not heard", want)
			}
		}
	}
	awaitNews(crm.LineNews{What: crm.NewsMissed})
	served(t, w, "a")
	callLine(t, w, "1", "a", time.Minute)
	awaitNews(crm.LineNews{What: crm.NewsCall, Node: "a"})
	calls, err := w.TakeLineCalls(t.Context(), "a", 1)
	if err != nil || len(calls) != 1 {
		t.Fatalf("taken are %+v, %v", calls, err)
	}
	if err := w.AnswerLineCall(t.Context(), calls[0]); err != nil {
		t.Fatal(err)
	}
	awaitNews(crm.LineNews{What: crm.NewsAnswer, Node: "b", Call: "1"})
	if err := w.LeaveLines(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	awaitNews(crm.LineNews{What: crm.NewsNodes})
	for _, what := range []string{crm.NewsOutbox, crm.NewsLabels, crm.NewsSettings} {
		n := crm.LineNews{What: what, LicenseID: crmtest.LicenseID, MessengerType: "grWhatsApp"}
		w.Tx(t, func(tx *models.Tx) error { return tx.NotifyLines(n) })
		awaitNews(n)
	}
}

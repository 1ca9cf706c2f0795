package crm_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// workday causes an event on the company's channel.
func workday(t *testing.T, w *crmtest.World, typ string) {
	t.Helper()
	if _, err := w.Workday(t.Context(), w.Owner, crmtest.CompanyID, w.Operator.UserID, typ); err != nil {
		t.Fatal(err)
	}
}

func codeOf(err error) crm.Code {
	var e *crm.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

func TestEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		for _, typ := range []string{"start", "end", "start"} {
			workday(t, w, typ)
		}
		relay.relay.Wake()
		var sent []broadcasting.Event
		for range 3 {
			sent = append(sent, relay.next(t))
		}
		page, err := w.Service.Events(t.Context(), w.Operator, crm.EventsQuery{Channel: journalChannel, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) != 2 || page.NextAfter != 2 || page.LastID != 3 {
			t.Fatalf("the first page = %+v", page)
		}
		for i, item := range page.Items {
			want := crm.PublishedEvent{ID: sent[i].Seq, Event: "employeeWorkday", Channel: journalChannel, Time: crmtest.Start, Data: []byte(sent[i].Data)}
			if fmt.Sprintf("%+v", item) != fmt.Sprintf("%+v", want) {
				t.Errorf("item %d = %+v, want what was published: %+v", i, item, want)
			}
		}
		if page, err = w.Service.Events(t.Context(), w.Operator, crm.EventsQuery{Channel: journalChannel, After: page.NextAfter}); err != nil {
			t.Fatal(err)
		}
		if len(page.Items) != 1 || page.Items[0].ID != 3 || page.NextAfter != 3 {
			t.Errorf("the second page = %+v", page)
		}
		for limit, ids := range map[int][]int64{1: {3}, 2: {2, 3}, 5: {1, 2, 3}} {
			page, err := w.Service.Events(t.Context(), w.Operator, crm.EventsQuery{Channel: journalChannel, Newest: true, Limit: limit})
			if err != nil || page.NextAfter != 3 {
				t.Errorf("the newest %d: %+v, %v", limit, page, err)
			}
			var got []int64
			for _, item := range page.Items {
				got = append(got, item.ID)
			}
			if !slices.Equal(got, ids) {
				t.Errorf("the newest %d are %v, want %v", limit, got, ids)
			}
		}
		// The cursor of a channel without events advances with the journal.
		page, err = w.Service.Events(t.Context(), w.Operator, crm.EventsQuery{Channel: "private-v1.users.687", After: 1})
		if err != nil || len(page.Items) != 0 || page.NextAfter != 3 {
			t.Errorf("a quiet channel = %+v, %v", page, err)
		}
	})
}

func TestEventsRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		line := fmt.Sprintf("private-v1.licenses.%d.messengers.grWhatsApp", crmtest.LicenseID)
		for name, c := range map[string]struct {
			actor crm.Actor
			query crm.EventsQuery
			want  crm.Code
		}{
			"another company":           {w.Stranger, crm.EventsQuery{Channel: journalChannel}, crm.CodeDenied},
			"a company that is not":     {w.Stranger, crm.EventsQuery{Channel: "private-v1.companies.99999"}, crm.CodeDenied},
			"another user":              {w.Owner, crm.EventsQuery{Channel: "private-v1.users.687"}, crm.CodeDenied},
			"no access to the licence":  {w.Outsider, crm.EventsQuery{Channel: line}, crm.CodeDenied},
			"only their own chats":      {w.OnlyMine, crm.EventsQuery{Channel: line}, crm.CodeDenied},
			"no family":                 {w.Owner, crm.EventsQuery{Channel: "private-v2.companies.2224"}, crm.CodeDenied},
			"a public channel":          {w.Owner, crm.EventsQuery{Channel: "v1.companies.2224"}, crm.CodeDenied},
			"a presence channel":        {w.Owner, crm.EventsQuery{Channel: "presence-v1.companies.2224"}, crm.CodeInvalid},
			"no channel":                {w.Owner, crm.EventsQuery{}, crm.CodeInvalid},
			"no channel name":           {w.Owner, crm.EventsQuery{Channel: "private v1"}, crm.CodeInvalid},
			"a negative cursor":         {w.Owner, crm.EventsQuery{Channel: journalChannel, After: -1}, crm.CodeInvalid},
			"a negative limit":          {w.Owner, crm.EventsQuery{Channel: journalChannel, Limit: -1}, crm.CodeInvalid},
			"too many":                  {w.Owner, crm.EventsQuery{Channel: journalChannel, Limit: crm.MaxPage + 1}, crm.CodeInvalid},
			"the newest and a cursor":   {w.Owner, crm.EventsQuery{Channel: journalChannel, Newest: true, After: 1}, crm.CodeInvalid},
			"too long":                  {w.Owner, crm.EventsQuery{Channel: journalChannel, Wait: crm.MaxEventsWait + 1}, crm.CodeInvalid},
			"a cursor of no event here": {w.Owner, crm.EventsQuery{Channel: journalChannel, After: 5}, crm.CodeConflict},
		} {
			if page, err := w.Service.Events(t.Context(), c.actor, c.query); codeOf(err) != c.want {
				t.Errorf("%s: %+v, %v; want %s", name, page, err, c.want)
			}
		}
	})
}

func TestEventsSaysWhatIsNoLongerKept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		for range 2 {
			workday(t, w, "start")
			workday(t, w, "end")
		}
		relay.relay.Wake()
		for range 4 {
			relay.next(t)
		}
		relay.stop() // so that all entries are marked as published
		if n, err := w.Journal.Prune(t.Context(), time.Unix(crmtest.Start+1, 0), 3); n != 3 || err != nil {
			t.Fatalf("pruned %d, %v", n, err)
		}
		for after, want := range map[int64]string{0: "4", 1: "conflict", 2: "conflict", 3: "4", 4: ""} {
			page, err := w.Service.Events(t.Context(), w.Owner, crm.EventsQuery{Channel: journalChannel, After: after})
			got := string(codeOf(err))
			if err == nil {
				for _, item := range page.Items {
					got += fmt.Sprint(item.ID)
				}
			}
			if got != want {
				t.Errorf("after %d: %q, %v; want %q", after, got, err, want)
			}
		}
	})
}

type answer struct {
	page *crm.EventsPage
	err  error
}

// waitForEvents calls Events in the background and returns when it waits.
func waitForEvents(ctx context.Context, t *testing.T, w *crmtest.World, a crm.Actor) <-chan answer {
	t.Helper()
	answers, _ := waitForEventsWith(ctx, t, w, a)
	return answers
}

// waitForEventsWith is waitForEvents, and returns the tokens with which it waits too.
func waitForEventsWith(ctx context.Context, t *testing.T, w *crmtest.World, a crm.Actor) (<-chan answer, *crm.TokenPair) {
	t.Helper()
	me, err := w.Me(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := w.IssueToken(t.Context(), me.Email)
	if err != nil {
		t.Fatal(err)
	}
	return waitForEventsOf(ctx, t, w, a, journalChannel, pair.AccessToken), pair
}

// waitForEventsOf is waitForEvents with a token, or a key, for any channel.
func waitForEventsOf(ctx context.Context, t *testing.T, w *crmtest.World, a crm.Actor, channel, token string) <-chan answer {
	t.Helper()
	answers := make(chan answer, 1)
	go func() {
		q := crm.EventsQuery{Channel: channel, Wait: crm.MaxEventsWait, AccessToken: token}
		page, err := w.Service.Events(ctx, a, q)
		answers <- answer{page, err}
	}()
	for start := time.Now(); w.Journal.Waiting() == 0; runtime.Gosched() {
		if time.Since(start) > testwait.Long {
			t.Fatal("Events does not wait")
		}
	}
	return answers
}

// TestEventsWaitsAreFew checks that one user cannot slow down everybody's events with
// very many waiting calls.
func TestEventsWaitsAreFew(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan answer, crm.MaxEventsWaits)
	query := crm.EventsQuery{Channel: journalChannel, Wait: crm.MaxEventsWait, AccessToken: w.Token(w.Operator)}
	for range crm.MaxEventsWaits {
		go func() {
			page, err := w.Service.Events(ctx, w.Operator, query)
			answers <- answer{page, err}
		}()
	}
	for w.Journal.Waiting() < crm.MaxEventsWaits {
		runtime.Gosched()
	}
	_, err := w.Service.Events(t.Context(), w.Operator, query)
	expectCode(t, "one more", err, crm.CodeThrottled)
	_, err = w.Service.Events(t.Context(), w.Operator, crm.EventsQuery{Channel: journalChannel})
	expectCode(t, "one that does not wait", err, "")
	cancel()
	for range crm.MaxEventsWaits {
		if got := <-answers; !errors.Is(got.err, context.Canceled) {
			t.Errorf("a call whose caller has gone: %v", got.err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Service.Events(gone, w.Operator, query)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("when the places are free again: %v", err)
	}
}

func TestEventsWaitsForTheRelay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		answers := waitForEvents(t.Context(), t, w, w.Operator)
		workday(t, w, "start")
		relay.relay.Wake()
		got := <-answers
		if got.err != nil || len(got.page.Items) != 1 || got.page.Items[0].ID != 1 {
			t.Errorf("the waiting one got %+v, %v", got.page, got.err)
		}
	})
}

// TestEventsWaitsForAnotherNode waits for an event that another node's relay publishes.
func TestEventsWaitsForAnotherNode(t *testing.T) {
	url := testdb.PostgresURL(t)
	leader := startRelay(t, "leader", crm.NewJournal(testdb.Open(t, url)))
	<-leader.leads
	store := testdb.Open(t, url)
	w := crmtest.New(t, store)
	startRelay(t, "standby", w.Journal) // listens for the leader's notifications
	answers := waitForEvents(t.Context(), t, w, w.Operator)
	workday(t, w, "start")
	notifyAppended(t, store)
	got := <-answers
	if got.err != nil || len(got.page.Items) != 1 {
		t.Errorf("the waiting one got %+v, %v", got.page, got.err)
	}
}

func TestEventsEndsWithItsCaller(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	ctx, cancel := context.WithCancel(t.Context())
	answers := waitForEvents(ctx, t, w, w.Operator)
	cancel()
	if got := <-answers; !errors.Is(got.err, context.Canceled) {
		t.Errorf("got %+v, %v", got.page, got.err)
	}
}

// TestEventsOfAServerThatStops checks that a call that reads when the server stops is told so,
// as one that waits is.
func TestEventsOfAServerThatStops(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(crm.Unavailable("the server stops; try again"))
		for _, wait := range []time.Duration{0, time.Minute} {
			q := crm.EventsQuery{Channel: journalChannel, Wait: wait, AccessToken: w.Token(w.Operator)}
			if page, err := w.Service.Events(ctx, w.Operator, q); codeOf(err) != crm.CodeUnavailable {
				t.Errorf("one that waits %v got %+v, %v", wait, page, err)
			}
		}
	})
}

// TestEventsOfOneWhoIsDismissedMeanwhile checks that a user who is removed during the
// wait does not get the later events.
func TestEventsOfOneWhoIsDismissedMeanwhile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		answers := waitForEvents(t.Context(), t, w, w.Reader)
		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Reader.UserID); err != nil {
			t.Fatal(err)
		}
		workday(t, w, "start")
		relay.relay.Wake()
		if got := <-answers; codeOf(got.err) != crm.CodeDenied {
			t.Errorf("got %+v, %v; want denied", got.page, got.err)
		}
	})
}

// TestEventsOfOneWhoIsSignedOutMeanwhile checks that a session that ends during the wait
// gets no later event.
func TestEventsOfOneWhoIsSignedOutMeanwhile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		answers := waitForEvents(t.Context(), t, w, w.Reader)
		w.Tx(t, func(tx *models.Tx) error { return tx.RevokeTokensOf(w.Reader.UserID, 0, crmtest.Start) })
		workday(t, w, "start")
		relay.relay.Wake()
		if got := <-answers; codeOf(got.err) != crm.CodeBadToken {
			t.Errorf("got %+v, %v; want a bad token", got.page, got.err)
		}
	})
}

// TestEventsOfOneWhoRefreshesMeanwhile checks that a session whose tokens are exchanged
// during the wait gets the next event.
func TestEventsOfOneWhoRefreshesMeanwhile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		answers, pair := waitForEventsWith(t.Context(), t, w, w.Reader)
		if _, err := w.RefreshToken(t.Context(), pair.RefreshToken, crm.Client{}); err != nil {
			t.Fatal(err)
		}
		workday(t, w, "start")
		relay.relay.Wake()
		if got := <-answers; got.err != nil || len(got.page.Items) != 1 {
			t.Errorf("got %+v, %v", got.page, got.err)
		}
	})
}

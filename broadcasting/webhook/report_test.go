package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
	"chatcast/broadcasting/webhook/storetest"
)

// kinds returns the attempts in short: the kind, the number of events, the attempt, the
// status and the reason.
func kinds(list []webhook.Attempt) (short []string) {
	for _, a := range list {
		short = append(short, strings.TrimSpace(fmt.Sprintln(a.Kind, a.Count, a.Nth, a.Status, a.Reason)))
	}
	return short
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// Each attempt is reported, with the beginning of the answer, in which secrets that the
// receiver repeats are hidden.
func TestAttemptsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		r.answer = func(w http.ResponseWriter, req *http.Request, nth int) {
			time.Sleep(40 * time.Millisecond)
			if nth == 1 {
				panic(http.ErrAbortHandler)
			}
			if nth == 2 {
				w.WriteHeader(500)
			}
			fmt.Fprintf(w, "out of order\x00 %s %s %s %s", req.Header.Get("Authorization"), req.Header.Get("X-Token"), secret, strings.Repeat("x", 2000))
		}
		e := apps.Webhook{URL: "http://r/", Headers: map[string]string{"Authorization": "Bearer hunter2", "X-Token": "hunter3"}}
		h := start(t, webhook.Options{Store: store, Apps: app(e), Transport: aborted{r}})
		h.Record(occupied("a"))
		h.Record(missed("cache-b"))
		time.Sleep(time.Minute)
		list := store.Log()
		same(t, kinds(list), []string{"delivery 2 1 0 connection", "delivery 2 2 500 status", "delivery 2 3 200"})
		for i, a := range list {
			if strings.Contains(a.Answer+a.Error, "hunter") || strings.Contains(a.Answer, secret) || a.App != "1" || a.Batch != list[0].Batch || a.Endpoint != app(e)[0].WebhookIDs()[0] ||
				strings.Join(a.Names(), " ") != "cache_miss channel_occupied" || a.Duration != 40*time.Millisecond {
				t.Errorf("attempt %d is %+v of %q", i, a, a.Names())
			}
		}
		if a := list[1]; a.Error != "answered 500" || !strings.HasPrefix(a.Answer, "out of order  ******** ******** ******** xxx") || len(a.Answer) != webhook.AnswerBytes {
			t.Errorf("the answer is %+v", a)
		}
	})
}

// A secret is hidden as a receiver may repeat it: in JSON of Go, JavaScript and PHP, in HTML, and
// in a URL.
func TestSecretsAreHiddenHoweverTheyAreSpelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		r.answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
			fmt.Fprint(w, `a/b"c&d e a/b\"c\u0026d e a/b\"c&d e a\/b\"c&d e a/b&#34;c&amp;d e a%2Fb%22c%26d+e a%2Fb%22c&d%20e`)
		}
		e := apps.Webhook{URL: "http://r/", Headers: map[string]string{"X-Token": `a/b"c&d e`}}
		h := start(t, webhook.Options{Store: store, Apps: app(e), Transport: r})
		h.Record(occupied("a"))
		time.Sleep(time.Minute)
		if got, want := store.Log()[0].Answer, strings.TrimSuffix(strings.Repeat("******** ", 7), " "); got != want {
			t.Errorf("the answer is %s", got)
		}
	})
}

// aborted makes a handler's abort an error of the connection.
type aborted struct{ http.RoundTripper }

func (a aborted) RoundTrip(req *http.Request) (res *http.Response, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("aborted")
		}
	}()
	return a.RoundTripper.RoundTrip(req)
}

// slowReports is a store whose log is away until go is closed.
type slowReports struct {
	storetest.Memory
	open chan struct{}
}

func (s *slowReports) Report(ctx context.Context, owner string, r *webhook.Report) error {
	select {
	case <-s.open:
		return s.Memory.Report(ctx, owner, r)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A log that is away holds up no delivery. The newest attempts are reported when it is back.
func TestReportsHoldUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &slowReports{open: make(chan struct{})}
		e := to("http://r/")
		e.Single = true
		h := start(t, webhook.Options{Store: store, Apps: app(e), Transport: r})
		for i := range 1500 {
			h.Record(missed(fmt.Sprint("cache-", i)))
		}
		time.Sleep(time.Second)
		if got := len(r.lines()); got != 1500 {
			t.Errorf("%d of 1500 were delivered while the log was away", got)
		}
		if got := len(store.Log()); got != 0 {
			t.Fatalf("%d attempts are in the log", got)
		}
		close(store.open)
		time.Sleep(time.Minute)
		list := store.Log()
		if len(list) != 1000 || !strings.Contains(list[999].Events, `"cache-1499"`) {
			t.Errorf("%d attempts are in the log", len(list))
		}
	})
}

// What is given up is in the log as soon as it does not wait any more, also while the log of
// attempts is away.
func TestGivenUpIsNeverOutOfSight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &slowReports{open: make(chan struct{})}
		r.respond(code(500))
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r})
		h.Record(missed("cache-a"))
		time.Sleep(6 * time.Minute)
		rows, _ := store.Left()
		if list := store.Log(); rows != 0 || len(list) != 1 || list[0].Kind != webhook.KindGivenUp || !strings.Contains(list[0].Events, `"cache-a"`) || list[0].Error != "answered 500" {
			t.Errorf("%d deliveries wait, and the log is %+v", rows, list)
		}
	})
}

// An endpoint that fails for too long gets nothing more, also from the next process, until
// somebody resumes it. What has waited for five minutes is given up, and shown as such.
func TestSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store, tried := newReceiver(t), &storetest.Memory{}, 0
		r.answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
			tried++
			w.WriteHeader(500)
		}
		o := webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r, SuspendAfter: time.Hour}
		h := start(t, o)
		for i := range 8 { // one each 10 minutes
			h.Record(missed(fmt.Sprint("cache-", i)))
			time.Sleep(10 * time.Minute)
			if i == 2 { // the next process goes on counting
				h.stop()
				h = start(t, o)
			}
		}
		if state := h.Stats().Endpoints[0].State; state != webhook.StateSuspended {
			t.Fatalf("the state is %s", state)
		}
		synctest.Wait()
		before, given := tried, 0
		h.Record(missed("cache-late"))
		time.Sleep(3 * time.Minute)
		h.stop()
		h = start(t, o)
		h.Record(missed("cache-later"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if tried != before {
			t.Errorf("it was tried %d times while it was suspended", tried-before)
		}
		for _, a := range store.Log() {
			if a.Kind == webhook.KindGivenUp {
				given += a.Count
			}
		}
		if given != 8 {
			t.Errorf("%d are shown as given up", given)
		}
		r.respond(nil)
		store.Resume()
		time.Sleep(1100 * time.Millisecond) // another process has resumed it
		r.exactly("cache_miss cache-late", "cache_miss cache-later")
		if state := h.Stats().Endpoints[0].State; state != webhook.StateActive {
			t.Errorf("the state is %s", state)
		}
	})
}

// An endpoint that failed long ago, and had nothing to take since, is tried again as any other.
func TestQuietEndpointIsNotSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		r.respond(code(500))
		h := start(t, webhook.Options{Store: &storetest.Memory{}, Apps: app(to("http://r/")), Transport: r, SuspendAfter: time.Hour})
		h.Record(missed("cache-early"))
		time.Sleep(2 * time.Hour)
		h.Record(missed("cache-late"))
		time.Sleep(10 * time.Second)
		r.respond(nil)
		time.Sleep(time.Minute)
		r.exactly("cache_miss cache-late")
		if state := h.Stats().Endpoints[0].State; state != webhook.StateActive {
			t.Errorf("the state is %s", state)
		}
	})
}

// Who resumes an endpoint in this process does not wait, also if it only fails.
func TestResumedHereIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		r.respond(code(500))
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r})
		h.Record(occupied("a"))
		time.Sleep(3 * time.Minute) // the next attempt is up to 30 s away
		r.respond(nil)
		time.Sleep(time.Millisecond)
		store.Resume()
		h.Resumed()
		synctest.Wait()
		r.exactly("channel_occupied a")
	})
}

package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// formatOfTests is the format of a dialect in which an event is as many requests as each says.
const formatOfTests = "tests"

// parts is that format. Each event is parts requests: "<id>.<part>". Events of chats named skip
// are none.
type parts struct {
	n      int64
	policy crm.CallbackPolicy
}

func (f *parts) Policy() *crm.CallbackPolicy { return &f.policy }

func (f *parts) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, _ time.Time) (list []crm.CallbackRequest, err error) {
	switch {
	case strings.Contains(string(ev.Body), `"skip"`):
		return nil, nil
	case strings.Contains(string(ev.Body), `"broken"`):
		return nil, errors.New("the event is broken")
	case strings.Contains(string(ev.Body), `"panic"`):
		panic("no such event")
	}
	for part := range f.n {
		body := fmt.Sprintf("%d.%d", ev.ID, part)
		r := crm.CallbackRequest{Name: "told", URL: to.URL, Header: http.Header{"X-Event-Id": {body}}, Body: []byte(body)}
		for name, value := range to.Options.Headers {
			r.Header.Set(name, value)
		}
		list = append(list, r)
	}
	return list, nil
}

// quick tries a request three times, and lets it hold up the others for as long as that takes.
func quick() crm.CallbackPolicy {
	return crm.CallbackPolicy{Timeout: 5 * time.Second, First: time.Millisecond, Most: 4 * time.Millisecond, Jitter: 0.2, Tries: 3, Final: []int{404}}
}

// taker is an endpoint that keeps the bodies it has taken.
type taker struct {
	url string

	mu     sync.Mutex
	answer func(body string, nth int) int // status; nil: 200
	asked  map[string]int
	bodies []string
	header http.Header
}

func newTaker(t *testing.T, answer func(body string, nth int) int) *taker {
	r := &taker{answer: answer, asked: map[string]int{}}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

// ServeHTTP implements http.Handler.
func (r *taker) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	w.WriteHeader(r.take(string(body), req.Header))
}

func (r *taker) take(body string, header http.Header) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[body]++
	status := 200
	if r.answer != nil {
		status = r.answer(body, r.asked[body])
	}
	if status == 200 {
		r.bodies, r.header = append(r.bodies, body), header
	}
	return status
}

// RoundTrip lets r stand for the network, in tests of time.
func (r *taker) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: r.take(string(body), req.Header), Body: http.NoBody}, nil
}

func (r *taker) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

func (r *taker) wants(t *testing.T, want ...string) {
	t.Helper()
	testwait.Count(t, "bodies", len(want), func() int { return len(r.got()) })
	if got := r.got(); !slices.Equal(got, want) {
		t.Fatalf("it took %v, want %v", got, want)
	}
}

// endpoint adds an endpoint in the format of the tests to the line.
func (w *world) endpoint(url string) *crm.Endpoint {
	w.t.Helper()
	e, err := w.AddEndpoint(w.t.Context(), w.Owner, line, crm.EndpointInput{
		Format: formatOfTests, URL: url, Enabled: true, Options: crm.EndpointOptions{Headers: map[string]string{"x-team": "a"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func newFormatWorld(t *testing.T, store *models.Store, f *parts) *world {
	return newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{formatOfTests: f}})
}

// TestParts checks that an event that is several requests is posted in their order, each until it
// is taken, and that an event that is nothing is stepped over. The endpoint has what no other
// one of the line has: its own position, and its own failures.
func TestParts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 3, policy: quick()})
		flaky := newTaker(t, func(_ string, nth int) int { return map[bool]int{true: 500, false: 200}[nth == 1] })
		well, own := newTaker(t, nil), newReceiver(t)
		first, second := w.endpoint(flaky.url), w.endpoint(well.url)
		d := w.set(line, crm.CallbackInput{URL: own.url})
		own.secret = d.Secret
		w.happen(line, "79990001122@c.us", 1)
		w.happen(line, "skip", 1)
		w.happen(line, "79990001122@c.us", 1)
		w.run()
		want := []string{"1.0", "1.1", "1.2", "3.0", "3.1", "3.2"}
		flaky.wants(t, want...)
		well.wants(t, want...)
		own.wants(1, 2, 3)
		if well.header.Get("X-Team") != "a" || well.header.Get("Content-Type") != "application/json" {
			t.Errorf("the header is %v", well.header)
		}
		for _, e := range []*crm.Endpoint{first, second} {
			got := w.await(e.ID, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 3 })
			if got.Format != formatOfTests || got.State != crm.CallbackActive || got.GivenUp != 0 || got.Secret != "" {
				t.Errorf("it is %+v", got)
			}
		}
		if log := w.deliveries(first.ID); len(log) != 12 || log[0].OK || log[0].Status == nil || !log[1].OK || log[1].Attempt != 2 || log[1].Event != "told" {
			t.Errorf("the log is %+v", log)
		}
	})
}

// TestPartsAfterRestart checks that a process that takes over goes on in the middle of an event.
func TestPartsAfterRestart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f := &parts{n: 3, policy: quick()}
		f.policy.Tries = 1000
		w := newFormatWorld(t, store, f)
		var down sync.Map
		r := newTaker(t, func(body string, _ int) int {
			if _, is := down.Load(body); is {
				return 503
			}
			return 200
		})
		down.Store("2.1", true)
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 3)
		stop := w.run()
		w.await(e.ID, "it fails in the middle", func(d crm.CallbackData) bool { return d.LastEventID == 1 && d.Failures > 2 })
		stop()
		r.wants(t, "1.0", "1.1", "1.2", "2.0")
		down.Clear()
		w.hooks = w.newHooks(webhook.Options{Formats: map[string]crm.CallbackFormat{formatOfTests: f}})
		w.hooks.Serve(w.Service)
		w.run()
		r.wants(t, "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2")
	})
}

// TestGivenUp checks what happens to a request that the endpoint does not take, while it takes
// others: it is given up after its tries, or at once, stays in the log, and can be posted again.
// Two of them that follow each other hold up the rest no longer.
func TestGivenUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		var mended sync.Map
		r := newTaker(t, func(body string, _ int) int {
			if _, is := mended.Load(body); is {
				return 200
			}
			return map[string]int{"2.0": 404, "3.0": 500, "4.0": 500}[body] + map[bool]int{true: 200}[!slices.Contains([]string{"2.0", "3.0", "4.0"}, body)]
		})
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 6)
		w.run()
		got := w.await(e.ID, "it goes on", func(d crm.CallbackData) bool { return d.LastEventID == 6 })
		if got.GivenUp != 3 || got.State != crm.CallbackActive {
			t.Errorf("it is %+v", got)
		}
		if took := slices.Compact(slices.Sorted(slices.Values(r.got()))); !slices.Equal(took, []string{"1.0", "5.0", "6.0"}) {
			t.Errorf("it took %v", took)
		}
		var dead []int64
		for _, d := range w.deliveries(e.ID) {
			if d.Kind == models.CallbackGivenUp {
				dead = append(dead, d.EventID)
			}
		}
		if !slices.Equal(dead, []int64{2, 3, 4}) {
			t.Errorf("given up are %v", dead)
		}
		r.mu.Lock()
		once := r.asked["2.0"]
		r.mu.Unlock()
		if once != 1 {
			t.Errorf("after 404 it was tried %d times", once)
		}
		mended.Store("3.0", true)
		d, err := w.RedeliverCallback(t.Context(), w.Owner, e.ID, 3)
		if err != nil || !d.OK {
			t.Errorf("posted again: %+v, %v", d, err)
		}
	})
}

// TestBrokenEvents checks that an event that cannot be put into the words of the dialect is given
// up, and ends nothing.
func TestBrokenEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		r := newTaker(t, nil)
		e := w.endpoint(r.url)
		w.happen(line, "broken", 1)
		w.happen(line, "panic", 1)
		w.happen(line, "79990001122@c.us", 1)
		w.run()
		got := w.await(e.ID, "it goes on", func(d crm.CallbackData) bool { return d.LastEventID == 3 })
		if took := slices.Compact(r.got()); got.GivenUp != 2 || !slices.Equal(took, []string{"3.0"}) {
			t.Errorf("it took %v, and is %+v", took, got)
		}
	})
}

// rarely has a process look for changes of others once a minute, in tests in which hours pass.
var rarely = webhook.Options{Look: time.Minute, Lease: 4 * time.Minute}

// outage lets a receiver fail for a time, in which a hundred events come and a process takes
// over from another: then all come, each once and in their order. Nothing is given up, and nobody
// has to switch the webhook on again. sleep lets time pass; nil: it is real, and as long as it takes
// for some attempts.
func outage(t *testing.T, store *models.Store, lasts time.Duration, policy crm.CallbackPolicy, sleep func(time.Duration)) {
	f := &parts{n: 2, policy: policy}
	o := rarely
	o.Formats = map[string]crm.CallbackFormat{formatOfTests: f}
	w := newWorld(t, store, o)
	end := time.Now().Add(lasts)
	var works atomic.Bool
	r := &taker{asked: map[string]int{}}
	r.answer = func(string, int) int { return map[bool]int{true: 200, false: 500}[works.Load()] }
	e := w.endpoint("http://r.example/hook")
	w.hooks.Through(r)
	stop := w.run()
	var want []string
	for i := range 10 {
		w.happen(line, "79990001122@c.us", 10)
		for id := 10*i + 1; id <= 10*i+10; id++ {
			want = append(want, fmt.Sprintf("%d.0", id), fmt.Sprintf("%d.1", id))
		}
		if sleep != nil {
			sleep(lasts / 12)
		}
		if i == 5 {
			stop()
			o.SuspendAfter = lasts / 2
			w.hooks = w.newHooks(o)
			w.hooks.Serve(w.Service)
			w.hooks.Through(r)
			w.run()
		}
	}
	if sleep != nil {
		sleep(time.Until(end))
	} else {
		testwait.Count(t, "attempts", 8, func() int {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.asked["1.0"]
		})
	}
	if got := r.got(); len(got) > 0 {
		t.Errorf("it took %v too early", got)
	}
	r.mu.Lock()
	asked := len(r.asked)
	r.mu.Unlock()
	works.Store(true)
	if asked < 2 || asked > 12 {
		t.Errorf("%d requests were tried while it failed", asked)
	}
	if sleep != nil {
		sleep(policy.Most * 6 / 5) // the longest wait for the next attempt
	}
	got := w.await(e.ID, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 100 })
	if took := r.got(); !slices.Equal(took, want) {
		t.Errorf("it took %v", took)
	}
	if got.State != crm.CallbackActive || got.GivenUp != 0 {
		t.Errorf("it is %+v", got)
	}
}

// TestComplaint1 has a receiver fail for an hour, tried again as a webhook of Evolution is; on
// PostgreSQL, which no test can make believe that time has passed, thousands of times as fast.
func TestComplaint1(t *testing.T) {
	policy := func(unit time.Duration) crm.CallbackPolicy {
		return crm.CallbackPolicy{Timeout: 5 * time.Second, First: 5 * unit, Most: 300 * unit, Jitter: 0.2, Tries: 10, Block: 300 * unit, Final: []int{404}}
	}
	url := testdb.SQLiteURL(t)
	t.Run("hour", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { outage(t, testdb.Open(t, url), time.Hour, policy(time.Second), time.Sleep) })
	})
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		outage(t, store, 720*time.Millisecond, policy(200*time.Microsecond), nil)
	})
}

// TestRareTries checks that an endpoint that takes nothing for a day is tried once a minute, and
// never suspended.
func TestRareTries(t *testing.T) {
	url := testdb.SQLiteURL(t)
	synctest.Test(t, func(t *testing.T) {
		p := quick()
		p.First, p.Most = time.Minute, time.Hour
		o := rarely
		o.Formats = map[string]crm.CallbackFormat{formatOfTests: &parts{n: 1, policy: p}}
		w := newWorld(t, testdb.Open(t, url), o)
		r := &taker{asked: map[string]int{}, answer: func(string, int) int { return 500 }}
		e := w.endpoint("http://r.example/hook")
		w.hooks.Through(r)
		w.happen(line, "79990001122@c.us", 1)
		w.Tx(t, func(tx *models.Tx) error { // as if it had failed for long
			since := time.Now().Add(-23 * time.Hour).UnixMilli()
			saved, err := tx.SaveCallbackProgress(e.ID, 1, 0, "", crm.CallbackProgress{Failures: 30, FailingSinceMS: since, HeadTries: 30, HeadSinceMS: since})
			if err == nil && !saved {
				err = errors.New("the progress was not saved")
			}
			return err
		})
		w.run()
		asked := func() int {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.asked["1.0"]
		}
		time.Sleep(2*time.Hour + 30*time.Minute)
		before := asked()
		time.Sleep(30 * time.Minute)
		if n := asked() - before; before > 120 || n < 28 || n > 31 {
			t.Errorf("it was tried %d times at first, and %d times in the half hour after", before, n)
		}
		if got := w.status(e.ID); got.State != crm.CallbackFailing {
			t.Errorf("it is %+v", got)
		}
	})
}

// TestLive checks that an event that is not in the journal is posted to the endpoints of its line
// that are on, once, and to callback URLs never.
func TestLive(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 2, policy: quick()})
		r, off := newTaker(t, func(body string, _ int) int { return map[bool]int{true: 500, false: 200}[body == "0.0"] }), newTaker(t, nil)
		e, silent := w.endpoint(r.url), w.endpoint(off.url)
		if _, err := w.ChangeEndpoint(t.Context(), w.Owner, formatOfTests, silent.PublicID, crm.EndpointChanges{Enabled: crm.Value(false)}); err != nil {
			t.Fatal(err)
		}
		w.run()
		if err := w.PublishQR(t.Context(), line, crm.Pairing{QR: new("2@Qm9"), ExpiresAt: 1}); err != nil {
			t.Fatal(err)
		}
		r.wants(t, "0.1")
		testwait.Count(t, "entries of the log", 2, func() int { return len(w.deliveries(e.ID)) })
		for i, d := range w.deliveries(e.ID) {
			if d.Kind != models.CallbackLive || d.EventID != 0 || d.OK != (i == 1) {
				t.Errorf("entry %d is %+v", i, d)
			}
		}
		if len(off.asked) > 0 {
			t.Errorf("an endpoint that is off got %v", off.asked)
		}
	})
}

// TestComplaint13 floods the lane of live events while an endpoint hangs: what waits is bounded,
// the rest is lost, and the events of the journal are not held up.
func TestComplaint13(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f := &parts{n: 1, policy: quick()}
		w := newFormatWorld(t, store, f)
		let := make(chan struct{})
		r := newTaker(t, nil)
		hangs := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
			if req.Header.Get("X-Event-Id") == "0.0" {
				<-let
			}
			r.ServeHTTP(rw, req)
		}))
		t.Cleanup(hangs.Close)
		free := sync.OnceFunc(func() { close(let) })
		t.Cleanup(free)
		w.endpoint(hangs.URL)
		w.run()
		for i := range 3000 {
			w.hooks.Live(crmtest.CompanyID, crm.CallbackEvent{Name: "chatPresence", Body: []byte("{}"), Line: line, At: time.Now()})
			if n := w.hooks.LiveWaiting(); n > 1100 {
				t.Fatalf("after %d events %d wait", i, n)
			}
		}
		w.happen(line, "79990001122@c.us", 1)
		r.wants(t, "1.0")
		testwait.Count(t, "looks at all live events", 50, w.hooks.LiveWaiting) // those of the endpoint are left
		free()
	})
}

// TestCompanyFormat checks that a company may have a URL for all its lines in the words of a
// dialect beside its own, each with its own end.
func TestCompanyFormat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{crm.FormatEvolution: &parts{n: 2, policy: quick()}}})
		r, own := newTaker(t, nil), newReceiver(t)
		in := crm.CallbackInput{URL: r.url, Format: crm.FormatEvolution, EndpointOptions: crm.EndpointOptions{Headers: map[string]string{"x-team": "a"}, ByEvents: true}}
		theirs, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, in)
		if err != nil || theirs.Format != crm.FormatEvolution || theirs.Secret == "" {
			t.Fatalf("%+v, %v", theirs, err)
		}
		r.mu.Lock()
		clear(r.asked)
		r.bodies = nil // the check of the URL
		r.mu.Unlock()
		ours, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: own.url})
		if err != nil || ours.ID == theirs.ID || ours.Format != crm.FormatChatApp {
			t.Fatalf("%+v, %v", ours, err)
		}
		own.secret = ours.Secret
		w.run()
		w.happen(line, "79990001122@c.us", 1)
		w.happen(crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}, "100", 1)
		r.wants(t, "1.0", "1.1", "2.0", "2.1")
		own.wants(1, 2)
		if err := w.DeleteCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.FormatEvolution); err != nil {
			t.Fatal(err)
		}
		all, err := w.CallbackURLs(t.Context(), w.Owner, crmtest.CompanyID)
		if err != nil || len(all) != 1 || all[0].ID != ours.ID {
			t.Errorf("then there are %+v, %v", all, err)
		}
		for _, wrong := range []crm.CallbackInput{
			{URL: r.url, Format: "multiwa"}, {URL: r.url, EndpointOptions: crm.EndpointOptions{Base64: true}},
			{URL: r.url, Format: crm.FormatEvolution, EndpointOptions: crm.EndpointOptions{Headers: map[string]string{"Host": "x"}}},
		} {
			var refused *crm.Error
			if _, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, wrong); !errors.As(err, &refused) || refused.Code != crm.CodeInvalid {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
		var refused *crm.Error
		if _, err := w.SetLineCallback(t.Context(), w.Owner, line, in); !errors.As(err, &refused) || refused.Code != crm.CodeInvalid {
			t.Errorf("of a line: %v", err)
		}
	})
}

// TestEndpointRights checks who may see and change the endpoints of a line: who may manage its
// callback URL. To others there is none.
func TestEndpointRights(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		e := w.endpoint("https://r.example/hook")
		for name, a := range map[string]crm.Actor{"a stranger": w.Stranger, "an operator": w.Operator} {
			_, one := w.Endpoint(t.Context(), a, formatOfTests, e.PublicID)
			_, all := w.Endpoints(t.Context(), a, line, formatOfTests)
			_, add := w.AddEndpoint(t.Context(), a, line, crm.EndpointInput{Format: formatOfTests, URL: "https://r.example/x", Enabled: true})
			_, change := w.ChangeEndpoint(t.Context(), a, formatOfTests, e.PublicID, crm.EndpointChanges{Enabled: crm.Value(false)})
			_, test := w.TestEndpoint(t.Context(), a, formatOfTests, e.PublicID)
			for what, err := range map[string]error{"one": one, "all": all, "add": add, "change": change, "test": test, "delete": w.DeleteEndpoint(t.Context(), a, formatOfTests, e.PublicID)} {
				var refused *crm.Error
				if !errors.As(err, &refused) || refused.Code != crm.CodeNotFound && refused.Code != crm.CodeDenied {
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
		}
		for range crm.MaxEndpoints - 1 {
			w.endpoint("https://r.example/hook")
		}
		if _, err := w.AddEndpoint(t.Context(), w.Owner, line, crm.EndpointInput{Format: formatOfTests, URL: "https://r.example/x", Enabled: true}); err == nil {
			t.Error("there is no end of endpoints")
		}
		r := newTaker(t, nil)
		changed, err := w.ChangeEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID, crm.EndpointChanges{URL: crm.Value(r.url)})
		if err != nil || changed.URL != r.url || changed.Options.Headers["x-team"] != "a" {
			t.Fatalf("%+v, %v", changed, err)
		}
		if went, err := w.TestEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID); err != nil || went.Reason != "" || !slices.Equal(r.got(), []string{"0.0"}) {
			t.Errorf("the test went %+v, %v, and brought %v", went, err, r.got())
		}
		if err := w.DeleteEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Endpoint(t.Context(), w.Owner, formatOfTests, e.PublicID); err == nil {
			t.Error("it is still there")
		}
	})
}

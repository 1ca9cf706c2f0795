package webhook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pusher/pusher-http-go/v5"

	"chatcast/channels/testwait"
)

// receiver is an endpoint that accepts what Pusher's library for Go finds valid.
type receiver struct {
	t      testing.TB
	answer func(w http.ResponseWriter, r *http.Request, nth int) // nil: 200

	mu     sync.Mutex
	secret string
	bodies []string      // of every request
	taken  []string      // lines of the accepted events, in order
	sizes  []int         // number of events of each accepted POST
	header http.Header   // of the last request
	more   chan struct{} // holds one: "something was accepted"
}

func newReceiver(t testing.TB) *receiver {
	return &receiver{t: t, secret: secret, more: make(chan struct{}, 1)}
}

// line returns an event as the tests compare it.
func line(e pusher.WebhookEvent) string {
	return strings.Join(strings.Fields(strings.Join([]string{e.Name, e.Channel, e.UserID, e.Event, e.Data, e.SocketID}, " ")), " ")
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // it was cut
	}
	r.mu.Lock()
	client := pusher.Client{Key: key, Secret: r.secret}
	hook, err := client.Webhook(req.Header, body)
	if err != nil || req.Method != "POST" || req.Header.Get("Content-Type") != "application/json" || len(req.Header.Values("Content-Type")) != 1 {
		r.t.Errorf("no valid webhook: %v: %s %v %s", err, req.Method, req.Header, body)
	}
	r.bodies, r.header = append(r.bodies, string(body)), req.Header
	nth, answer := len(r.bodies), r.answer
	r.mu.Unlock()
	rec := &status{ResponseWriter: w, code: 200}
	if answer != nil {
		answer(rec, req, nth)
	}
	if rec.code/100 != 2 || err != nil || req.Context().Err() != nil {
		return
	}
	r.mu.Lock()
	r.sizes = append(r.sizes, len(hook.Events))
	for _, e := range hook.Events {
		r.taken = append(r.taken, line(e))
	}
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (r *receiver) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

// wants waits until as many events were accepted, and compares them.
func (r *receiver) wants(want ...string) {
	r.t.Helper()
	for deadline := time.After(testwait.Long); len(r.lines()) < len(want); {
		select {
		case <-r.more:
		case <-deadline:
			r.t.Fatalf("received %q, want %q", r.lines(), want)
		}
	}
	r.exactly(want...)
}

// exactly compares the events accepted so far.
func (r *receiver) exactly(want ...string) {
	r.t.Helper()
	if got := r.lines(); !slices.Equal(got, want) {
		r.t.Fatalf("received\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// serve starts the receiver on loopback.
func (r *receiver) serve(t *testing.T) string {
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return s.URL
}

// RoundTrip implements http.RoundTripper. It calls the receiver without a network, for
// tests in fake time.
func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

func (r *receiver) respond(answer func(w http.ResponseWriter, r *http.Request, nth int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func code(n int) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(n) }
}

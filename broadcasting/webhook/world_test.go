package webhook_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pusher/pusher-http-go/v5"
	"go.uber.org/goleak"

	"chatcast/broadcasting"
	"chatcast/broadcasting/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key      = "278d425bdf160c739803"
	secret   = "7ad3773142a6692b25b8"
	patience = 30 * time.Second // is never waited for when all is well
)

// memory is a Store of a process that does not end.
type memory struct {
	mu   sync.Mutex
	last int64
	rows []webhook.Delivery
	told map[webhook.Subject]bool
	gave []webhook.Failure
	fail error         // what Commit returns
	hold chan struct{} // Commit waits for it to be closed
	size []int         // of each commit, in deliveries
}

var _ webhook.Store = (*memory)(nil)

func (m *memory) Load(context.Context) (webhook.Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := webhook.Kept{Deliveries: slices.Clone(m.rows)}
	for s := range m.told {
		kept.Told = append(kept.Told, s)
	}
	return kept, nil
}

func (m *memory) Commit(_ context.Context, b *webhook.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if hold := m.hold; hold != nil {
		m.mu.Unlock()
		<-hold
		m.mu.Lock()
	}
	if m.fail != nil {
		return m.fail
	}
	m.size = append(m.size, len(b.New))
	for i := range b.New {
		m.last++
		b.New[i].ID = m.last
		m.rows = append(m.rows, b.New[i])
	}
	drop := slices.Clone(b.Done)
	for _, f := range b.GivenUp {
		drop, m.gave = append(drop, f.ID), append(m.gave, f)
	}
	for _, f := range b.Failed {
		for i := range m.rows {
			if m.rows[i].ID == f.ID {
				m.rows[i].Attempts = f.Attempts
			}
		}
	}
	m.rows = slices.DeleteFunc(m.rows, func(d webhook.Delivery) bool { return slices.Contains(drop, d.ID) })
	if m.told == nil {
		m.told = map[webhook.Subject]bool{}
	}
	for _, s := range b.Told {
		m.told[s] = true
	}
	for _, s := range b.Untold {
		delete(m.told, s)
	}
	return nil
}

func (m *memory) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *memory) left() (rows, told int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows), len(m.told)
}

// receiver is an endpoint that takes what Pusher's library for Go finds valid.
type receiver struct {
	t      testing.TB
	answer func(w http.ResponseWriter, r *http.Request, nth int) // nil: 200

	mu     sync.Mutex
	secret string
	bodies []string      // of every request
	taken  []string      // lines of the events that were taken, in order
	sizes  []int         // events of each POST that was taken
	header http.Header   // of the last request
	more   chan struct{} // holds one: something was taken
}

func newReceiver(t testing.TB) *receiver {
	return &receiver{t: t, secret: secret, more: make(chan struct{}, 1)}
}

// line is an event as the tests compare it.
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

// wants waits until as many events were taken, and compares them.
func (r *receiver) wants(want ...string) {
	r.t.Helper()
	for deadline := time.After(patience); len(r.lines()) < len(want); {
		select {
		case <-r.more:
		case <-deadline:
			r.t.Fatalf("received %q, want %q", r.lines(), want)
		}
	}
	r.exactly(want...)
}

// exactly compares what was taken until now.
func (r *receiver) exactly(want ...string) {
	r.t.Helper()
	if got := r.lines(); !slices.Equal(got, want) {
		r.t.Fatalf("received\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// serve puts the receiver on loopback.
func (r *receiver) serve(t *testing.T) string {
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return s.URL
}

// RoundTrip implements http.RoundTripper: the receiver without a network, for tests
// whose time is not the clock's.
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

// app is the app of the tests with the endpoints.
func app(endpoints ...webhook.Endpoint) []webhook.App {
	return []webhook.App{{ID: "1", Key: key, Secret: secret, Endpoints: endpoints}}
}

func to(url string) webhook.Endpoint { return webhook.Endpoint{URL: url} }

// running are Hooks that run until the test, or stop, ends them.
type running struct {
	*webhook.Hooks
	log  *journal
	stop func()
}

func start(t *testing.T, o webhook.Options) *running {
	t.Helper()
	log := &journal{more: make(chan struct{}, 1)}
	o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	hooks, err := webhook.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hooks.Run(ctx) }()
	r := &running{Hooks: hooks, log: log}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, errDatabase) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

var errDatabase = errors.New("the database is away")

// journal is the log, and tells when it grows.
type journal struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
	more chan struct{}   // holds one
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.more <- struct{}{}:
	default:
	}
	return j.text.Write(p)
}

// String is the log until now.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// says waits until the log has the text.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	for deadline := time.After(patience); !strings.Contains(r.log.String(), text); {
		select {
		case <-r.log.more:
		case <-deadline:
			t.Fatalf("the log does not say %s:\n%s", text, r.log)
		}
	}
}

// What happens to channels of app 1.
func on(kind broadcasting.Kind, channel string) broadcasting.Happening {
	return broadcasting.Happening{Kind: kind, App: "1", Channel: channel}
}

func occupied(channel string) broadcasting.Happening { return on(broadcasting.Occupied, channel) }
func vacated(channel string) broadcasting.Happening  { return on(broadcasting.Vacated, channel) }
func missed(channel string) broadcasting.Happening   { return on(broadcasting.CacheMissed, channel) }

func added(channel, user string) broadcasting.Happening {
	h := on(broadcasting.MemberAdded, channel)
	h.UserID = user
	return h
}

func removed(channel, user string) broadcasting.Happening {
	h := on(broadcasting.MemberRemoved, channel)
	h.UserID = user
	return h
}

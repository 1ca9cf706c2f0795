package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

var line = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}

// world is a company whose journal is relayed.
type world struct {
	*crmtest.World
	t     testing.TB
	relay *broadcasting.Relay
	log   *testwait.Output
	hooks *webhook.Hooks // of the rules
}

func newWorld(t *testing.T, store *models.Store, o webhook.Options) *world {
	w := &world{World: crmtest.New(t, store), t: t, log: &testwait.Output{}}
	w.relayed()
	w.hooks = w.newHooks(o)
	w.hooks.Serve(w.Service)
	w.Callbacks = w.hooks
	return w
}

// relayed has the journal numbered until the test ends.
func (w *world) relayed() {
	w.relay = broadcasting.NewRelay(broadcasting.RelayOptions{
		Journal: w.Journal, Publish: func(context.Context, broadcasting.Event) error { return nil }, App: "1", Log: slog.New(slog.DiscardHandler),
	})
	w.t.Cleanup(background(w.t, w.relay.Run))
}

func (w *world) newHooks(o webhook.Options) *webhook.Hooks {
	o.Log, o.AllowPrivate = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), true
	if o.Retry == 0 {
		o.Retry = time.Millisecond
	}
	return webhook.New(o)
}

// background runs f until stop is called, which returns when f has.
func background(t testing.TB, f func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// run starts the hooks of the rules.
func (w *world) run() (stop func()) {
	stop = background(w.t, w.hooks.Run)
	w.t.Cleanup(stop)
	return stop
}

// set sets the callback URL of the line.
func (w *world) set(on crm.Line, in crm.CallbackInput) crm.CallbackData {
	w.t.Helper()
	data, err := w.SetLineCallback(w.t.Context(), w.Owner, on, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// status returns the URL as it is listed.
func (w *world) status(id int64) crm.CallbackData {
	w.t.Helper()
	all, err := w.CallbackURLs(w.t.Context(), w.Owner, crmtest.CompanyID)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(d crm.CallbackData) bool { return d.ID == id })
	if i < 0 {
		w.t.Fatalf("callback URL %d is not listed", id)
	}
	return all[i]
}

// await waits until the URL is as it should be.
func (w *world) await(id int64, what string, is func(crm.CallbackData) bool) crm.CallbackData {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Long); ; <-tick.C {
		d := w.status(id)
		if is(d) {
			return d
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s: it is %+v\n%s", what, d, w.log)
		}
	}
}

// log of the URL, oldest first.
func (w *world) deliveries(id int64) []crm.CallbackDelivery {
	w.t.Helper()
	page, err := w.CallbackDeliveries(w.t.Context(), w.Owner, id, crm.CallbackLogQuery{PageQuery: crm.PageQuery{Limit: 100}})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(page.Items)
	return page.Items
}

// happen adds events of a line to the journal, and returns when they have numbers.
func (w *world) happen(on crm.Line, chat string, n int) {
	w.t.Helper()
	data := fmt.Sprintf(`{"payload":{"data":[{"type":"open","chat":{"id":%q},"edited":null}],"meta":{"type":"chatStatus","licenseId":%d,"messengerType":%q}}}`, chat, on.LicenseID, on.Messenger)
	w.append(crmtest.CompanyID, "chatStatus", on.Channel(), data, n)
}

func (w *world) append(companyID int64, name, channel, data string, n int) {
	w.t.Helper()
	names, err := json.Marshal([]string{channel})
	if err != nil {
		w.t.Fatal(err)
	}
	last := w.last()
	for rest := n; rest > 0; rest -= 500 {
		w.Tx(w.t, func(tx *models.Tx) error {
			for range min(rest, 500) {
				e := &models.JournalEntry{CompanyID: companyID, Name: name, Channels: string(names), Data: data, CreatedAtMS: w.Clock.Now().UnixMilli()}
				if err := tx.AppendJournal(e); err != nil {
					return err
				}
			}
			return nil
		})
		w.relay.Wake()
	}
	testwait.Count(w.t, "numbered events", n, func() int { return int(w.last() - last) })
}

// prune removes all events from the journal.
func (w *world) prune() {
	w.t.Helper()
	testwait.Count(w.t, "an empty journal", 1, func() int { // what is not published yet stays
		if _, err := w.Journal.Prune(w.t.Context(), w.Clock.Now().Add(time.Hour), 1000); err != nil {
			w.t.Fatal(err)
		}
		bounds, err := w.Store.Read(w.t.Context()).JournalBounds()
		if err != nil {
			w.t.Fatal(err)
		}
		if bounds.First <= bounds.LastSeq {
			return 0
		}
		return 1
	})
}

// last returns the id of the last event.
func (w *world) last() int64 {
	w.t.Helper()
	last, err := w.JournalLast(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return last
}

// receiver is an endpoint that takes what Standard Webhooks' library finds valid.
type receiver struct {
	t      testing.TB
	url    string
	secret string
	answer func(w http.ResponseWriter, r *http.Request, nth int) bool // false: it has answered itself; nil: 200

	mu     sync.Mutex
	asked  int
	taken  []int64 // ids of the events that it answered with 200, in order
	bodies []string
	header http.Header
	more   chan struct{}
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t, more: make(chan struct{}, 1)}
	s := httptest.NewUnstartedServer(r)
	s.Config.ConnContext = withConn
	s.Start()
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil || len(body) == 0 {
		return
	}
	r.mu.Lock()
	secret := r.secret
	r.asked++
	nth := r.asked
	r.mu.Unlock()
	var data struct {
		Meta struct {
			Type    string
			EventID int64
		}
	}
	check, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = check.Verify(body, req.Header)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	if err != nil || json.Unmarshal(body, &data) != nil || req.Header.Get("X-Chatcast-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) ||
		req.Header.Get("Webhook-Id") != "event_"+strconv.FormatInt(data.Meta.EventID, 10) || req.Header.Get("X-Chatcast-Event") != data.Meta.Type {
		r.t.Errorf("no valid webhook: %v: %v %s", err, req.Header, body)
	}
	if r.answer != nil && !r.answer(w, req, nth) {
		return
	}
	r.mu.Lock()
	if givenUp(req) { // asked with the lock: who gives up posts the next one after that
		r.mu.Unlock()
		return
	}
	r.taken, r.bodies, r.header = append(r.taken, data.Meta.EventID), append(r.bodies, string(body)), req.Header
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *receiver) ids() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

// once returns the ids without repetitions of the last one. Others are not removed, so a
// list in order has each id once.
func (r *receiver) once() []int64 { return slices.Compact(r.ids()) }

func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken, r.bodies = nil, nil
}

// wants waits until these events have come, and no others.
func (r *receiver) wants(want ...int64) {
	r.t.Helper()
	testwait.Count(r.t, "events", len(want), func() int { return len(r.once()) })
	if got := r.once(); !slices.Equal(got, want) {
		r.t.Fatalf("received %v, want %v", got, want)
	}
}

func span(from, to int64) (ids []int64) {
	for id := from; id <= to; id++ {
		ids = append(ids, id)
	}
	return ids
}

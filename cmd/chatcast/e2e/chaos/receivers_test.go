package chaos

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// receiver is a program behind a callback URL, or one that gets Pusher's webhooks. It
// fails, hangs and lies: what it says that it did not take it may have taken. What it says
// that it took it has.
type receiver struct {
	// static
	name, channel      string // of the line
	secret             string // of the app
	fails, hangs, lies int    // of a thousand
	server             *httptest.Server

	broken atomic.Bool // it fails all

	mu sync.Mutex
	// guarded by mu
	random *rand.Rand
	taken  []int64        // ids of events of the CRM
	posts  [][]string     // events of Pusher's webhooks, as they came
	wrong  []violation    // webhooks that the app has not signed
	calls  map[string]int // by what it did
}

func (r *receiver) start(t *testing.T, seed uint64) {
	t.Helper()
	r.random, r.calls = rand.New(rand.NewPCG(seed, 0)), map[string]int{}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.server.CloseClientConnections()
		r.server.Close()
	})
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender has ended
	}
	var event struct {
		Meta   struct{ EventID int64 }
		Events []json.RawMessage
	}
	_ = json.Unmarshal(body, &event)
	r.mu.Lock()
	name, what := "took", r.random.IntN(1000)
	switch {
	case event.Meta.EventID == 0 && event.Events == nil: // the check of the URL
	case r.broken.Load() || what < r.fails:
		name = "failed"
	case what < r.fails+r.hangs:
		name = "hung"
	case what < r.fails+r.hangs+r.lies:
		name = "lied"
	}
	r.calls[name]++
	if name == "took" || name == "lied" {
		if event.Meta.EventID != 0 {
			r.taken = append(r.taken, event.Meta.EventID)
		}
		if event.Events != nil {
			r.take(req.Header, body, event.Events)
		}
	}
	r.mu.Unlock()
	switch name {
	case "failed":
		http.Error(w, "no", http.StatusInternalServerError)
	case "hung":
		select {
		case <-req.Context().Done():
		case <-time.After(8 * time.Second):
		}
		panic(http.ErrAbortHandler)
	case "lied":
		panic(http.ErrAbortHandler)
	}
}

// take notes a webhook; needs mu.
func (r *receiver) take(h http.Header, body []byte, events []json.RawMessage) {
	mac := hmac.New(sha256.New, []byte(r.secret))
	mac.Write(body)
	if h.Get("X-Pusher-Key") != appKey || h.Get("X-Pusher-Signature") != hex.EncodeToString(mac.Sum(nil)) {
		r.wrong = append(r.wrong, violation{invented, r.name, "a webhook without the signature of the app"})
	}
	texts := make([]string, len(events))
	for i, e := range events {
		texts[i] = string(e)
	}
	r.posts = append(r.posts, texts)
}

// posted returns the events of the webhooks that were taken, by POST.
func (r *receiver) posted() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts)
}

// forged returns the webhooks that the app has not signed.
func (r *receiver) forged() []violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.wrong)
}

// got returns the ids of the events that were taken.
func (r *receiver) got() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

// highest returns the highest id of them.
func (r *receiver) highest() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.taken) == 0 {
		return 0
	}
	return slices.Max(r.taken)
}

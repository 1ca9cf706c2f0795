package conformance

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// hook is one event of a webhook.
type hook struct {
	Name     string          `json:"name"`
	Channel  string          `json:"channel"`
	UserID   string          `json:"user_id"`
	Event    string          `json:"event"`
	Data     json.RawMessage `json:"data"`
	SocketID string          `json:"socket_id"`
	Count    *int            `json:"subscription_count"`

	delivery *delivery
}

// delivery is one POST.
type delivery struct {
	header http.Header
	body   string
	timeMS json.Number
	at     time.Time
}

// maxHooks is how many events a Receiver keeps; it drops the oldest.
const maxHooks = 10_000

// Receiver receives the webhooks of a target. It is safe for concurrent use.
type Receiver struct {
	server *http.Server
	url    string
	ended  chan struct{}

	mu      sync.Mutex
	hooks   []hook
	changed chan struct{} // closed and replaced at each delivery
	refuse  int           // number of deliveries still to be answered with 500
}

// Listen opens a Receiver on address, HOST:PORT. It runs until Close.
func Listen(address string) (*Receiver, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &Receiver{url: "http://" + l.Addr().String() + "/", changed: make(chan struct{}), ended: make(chan struct{})}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { defer close(r.ended); _ = r.server.Serve(l) }() // Close ends it
	return r, nil
}

// URL returns the address to which the target must send its webhooks.
func (r *Receiver) URL() string { return r.url }

// Close stops the Receiver and waits for it.
func (r *Receiver) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if r.server.Shutdown(ctx) != nil {
		_ = r.server.Close()
	}
	<-r.ended
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxFrame))
	var told struct {
		TimeMS json.Number `json:"time_ms"`
		Events []hook      `json:"events"`
	}
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse > 0 {
		r.refuse--
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	d := &delivery{header: req.Header, body: string(body), timeMS: told.TimeMS, at: time.Now()}
	for _, h := range told.Events {
		h.delivery = d
		r.hooks = append(r.hooks, h)
	}
	if extra := len(r.hooks) - maxHooks; extra > 0 {
		r.hooks = append([]hook(nil), r.hooks[extra:]...)
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// of returns the events received so far for a channel, and a Go channel that is closed
// when more arrive.
func (r *Receiver) of(channel string) (found []hook, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.hooks {
		if h.Channel == channel {
			found = append(found, h)
		}
	}
	return found, r.changed
}

// hooked waits for the nth webhook of this kind for the channel.
func (x *exchange) hooked(channel, name string, nth int) hook {
	// A vacated channel is reported after three seconds, and a retry takes longer.
	timeout := time.After(x.patience + 15*time.Second)
	for {
		all, changed := x.target.Hooks.of(channel)
		n := 0
		for _, h := range all {
			if h.Name != name {
				continue
			}
			if n++; n == nth {
				return h
			}
		}
		select {
		case <-changed:
		case <-timeout:
			x.absentf("no webhook %s of %s came; what came is %s", name, channel, names(all))
		}
	}
}

func names(hooks []hook) string {
	list := []string{}
	for _, h := range hooks {
		list = append(list, h.Name)
	}
	return jsonOf(list)
}

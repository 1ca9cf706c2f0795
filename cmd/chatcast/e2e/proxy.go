package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// BrokenProxy is a proxy that answers 400 to WebSocket upgrades, as some networks
// have. It can make the program lose its sessions.
type BrokenProxy struct {
	Base    string
	Refused atomic.Int64
	Sent    atomic.Int64 // requests of HTTP sessions

	mu sync.RWMutex // locked while the program is away, see Hold
	// guarded by mu
	other bool // session ids are replaced, so that the program does not know them
}

// BreakProxy starts a proxy in front of the program at base.
func BreakProxy(t *testing.T, base string) *BrokenProxy {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	p := &BrokenProxy{}
	pass := &httputil.ReverseProxy{
		FlushInterval: -1, Transport: &http.Transport{},
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			p.Refused.Add(1)
			http.Error(w, "this proxy knows no upgrades", http.StatusBadRequest)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/pusher/app/") {
			p.Sent.Add(1)
		}
		p.mu.RLock()
		other := p.other
		p.mu.RUnlock()
		if parts := strings.Split(r.URL.Path, "/"); other && len(parts) == 7 {
			parts[4] = "other"
			r.URL.Path = strings.Join(parts, "/")
		}
		pass.ServeHTTP(w, r)
	}))
	p.Base = srv.URL
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		pass.Transport.(*http.Transport).CloseIdleConnections()
	})
	return p
}

// Hold blocks all requests until release is called. A refusal would make pusher-js wait
// 15 s; a blocked request hides that the program is away.
func (p *BrokenProxy) Hold() (release func()) {
	p.mu.Lock()
	return p.mu.Unlock
}

// Lose replaces the id of every session, so that the program does not know it.
func (p *BrokenProxy) Lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.other = true
}

// Publish publishes an event in the first app.
func (r *Running) Publish(t *testing.T, channel, event, data string) {
	t.Helper()
	if err := r.Components().Engine.Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Name: event, Data: data}); err != nil {
		t.Fatal(err)
	}
}

// UntilCount waits until a channel has n subscriptions.
func (r *Running) UntilCount(t *testing.T, channel string, n int) {
	t.Helper()
	for end := time.Now().Add(testwait.Long); ; runtime.Gosched() {
		got, _, err := r.Components().Engine.Count(t.Context(), "1", channel)
		if err == nil && got == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s has %d subscriptions, want %d (%v)", channel, got, n, err)
		}
	}
}

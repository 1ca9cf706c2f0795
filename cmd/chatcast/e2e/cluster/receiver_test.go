package cluster_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/channels/testwait"
)

// receiver is a backend that gets Pusher's webhooks.
type receiver struct {
	url string

	mu   sync.Mutex
	told []string // "event channel user"; guarded by mu
}

func receive(t *testing.T) *receiver {
	r := &receiver{}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var body struct {
			Events []struct {
				Name, Channel string
				UserID        string `json:"user_id"`
			}
		}
		text, err := io.ReadAll(req.Body)
		if err != nil || json.Unmarshal(text, &body) != nil {
			t.Errorf("a webhook: %v in %s", err, text)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e := range body.Events {
			r.told = append(r.told, strings.TrimSpace(e.Name+" "+e.Channel+" "+e.UserID))
		}
	}))
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

// count returns how often an event was told, of any user.
func (r *receiver) count(event string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, told := range r.told {
		if told == event || strings.HasPrefix(told, event+" ") {
			n++
		}
	}
	return n
}

// await waits until an event was told.
func (r *receiver) await(t *testing.T, event string) {
	t.Helper()
	testwait.Count(t, event, 1, func() int { return min(r.count(event), 1) })
}

// check expects that these events of the channel were told, each once. They have the form
// "event user".
func (r *receiver) check(t *testing.T, channel string, events ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, told := range r.told {
		if words := strings.Fields(told); words[1] == channel {
			got = append(got, strings.Join(slices.Delete(words, 1, 2), " "))
		}
	}
	slices.Sort(got)
	slices.Sort(events)
	if !slices.Equal(got, events) {
		t.Errorf("of %s the webhooks tell\n%q, want\n%q", channel, got, events)
	}
}

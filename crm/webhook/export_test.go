package webhook

import (
	"net/http"

	"chatcast/channels/webpost"
)

// Asking returns how many POSTs that people of a company asked for run, or wait for a place.
func (h *Hooks) Asking(companyID int64) int {
	h.asked.mu.Lock()
	defer h.asked.mu.Unlock()
	if own := h.asked.of[companyID]; own != nil {
		return own.users
	}
	return 0
}

// Posting returns how many places to post are taken.
func (h *Hooks) Posting() int { return len(h.posts.all) + len(h.failing.all) }

// Through has h post through t.
func (h *Hooks) Through(t http.RoundTripper) { h.client = webpost.Client(t) }

// LiveWaiting returns how many live events are held.
func (h *Hooks) LiveWaiting() (n int) {
	h.live.mu.Lock()
	defer h.live.mu.Unlock()
	for _, list := range h.live.queues {
		n += len(list)
	}
	return n + len(h.live.events)
}

// LiveQueued returns how many live events wait for endpoints, and to how many endpoints goroutines
// post such events.
func (h *Hooks) LiveQueued() (events, endpoints int) {
	h.live.mu.Lock()
	defer h.live.mu.Unlock()
	for _, list := range h.live.queues {
		events += len(list)
	}
	return events, len(h.live.queues)
}

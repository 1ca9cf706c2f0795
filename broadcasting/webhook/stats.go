package webhook

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// counters count for one endpoint since the process started.
type counters struct{ posts, delivered, failed, retried, givenUp, dropped atomic.Uint64 }

// EndpointStats are the counters of an endpoint since the process started. They
// identify it by its position, because its URL may hold a secret.
type EndpointStats struct {
	App       string  `json:"app"`
	Endpoint  int     `json:"endpoint"`      // in the app's list
	State     string  `json:"state"`         // one of the states below, as far as this process knows
	Pending   int     `json:"pending"`       // waiting events
	Oldest    float64 `json:"oldestSeconds"` // how long the first of them has waited in this process
	Posts     uint64  `json:"posts"`         // accepted POSTs
	Delivered uint64  `json:"delivered"`     // events
	Failed    uint64  `json:"failed"`        // failed attempts
	Retried   uint64  `json:"retried"`       // attempts after a failed one
	GivenUp   uint64  `json:"givenUp"`       // events
	Dropped   uint64  `json:"dropped"`       // events dropped because the endpoint's queue was full
}

// States of an endpoint.
const (
	StateActive    = "active"
	StateFailing   = "failing"   // the last attempt failed
	StateSuspended = "suspended" // nothing is sent until a person resumes it
)

// Stats are the counters of Hooks.
type Stats struct {
	Endpoints   []EndpointStats   `json:"endpoints"`      // sorted by app and position
	Lost        map[string]uint64 `json:"lost,omitempty"` // events dropped because the memory was full, by app
	StoreErrors uint64            `json:"storeErrors"`    // commits that failed
}

// Stats returns the counters now.
func (h *Hooks) Stats() Stats {
	st := Stats{Endpoints: []EndpointStats{}, Lost: h.in.losses(), StoreErrors: h.storeErrors.Load()}
	h.sendersMu.Lock()
	defer h.sendersMu.Unlock()
	for app, list := range *h.current.Load() {
		for _, e := range list {
			s := h.senders[senderKey{app, e.id}]
			if s == nil {
				continue // the endpoint was set a moment ago
			}
			c := s.stats
			st.Endpoints = append(st.Endpoints, EndpointStats{
				App: app, Endpoint: e.index, State: s.current().name(), Pending: s.pending(), Oldest: s.oldest().Seconds(), Posts: c.posts.Load(), Delivered: c.delivered.Load(),
				Failed: c.failed.Load(), Retried: c.retried.Load(), GivenUp: c.givenUp.Load(), Dropped: c.dropped.Load(),
			})
		}
	}
	slices.SortFunc(st.Endpoints, func(a, b EndpointStats) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return st
}

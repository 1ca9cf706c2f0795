package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// print prints what happened, and fails the test if a promise was broken.
func (w *world) print() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var took []time.Duration
	for _, e := range w.journal {
		at, acknowledged := w.acknowledged[e.message]
		if heard, ok := w.heard[e.seq]; ok && acknowledged {
			took = append(took, max(0, heard.Sub(at)))
		}
	}
	slices.Sort(took)
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, bus %s, %v\n", w.seed, *busFlag, time.Since(w.began).Round(time.Second))
	counts := map[fault]int{}
	for _, d := range w.disturbances {
		counts[d.what]++
	}
	fmt.Fprintf(&b, "faults of nodes and the database: %v\n", counts)
	fmt.Fprintf(&b, "committed: %d events, %d messages acknowledged, %d requests refused and sent again\n", len(w.journal), len(w.acknowledged), w.refused.Load())
	if n := len(took); n > 0 {
		fmt.Fprintf(&b, "from the acknowledgement to a client that resumes: p50 %v, p99 %v, worst %v\n", took[n/2], took[n*99/100], took[n-1])
	}
	for _, c := range w.clients {
		s := c.received()
		fmt.Fprintf(&b, "%s: %d events on %d sockets\n", s.name, s.received(), len(s.sockets))
	}
	for _, p := range w.pages {
		s := p.received()
		fmt.Fprintf(&b, "%s: %d events on %d sockets\n", s.name, s.received(), len(s.sockets))
	}
	for _, r := range w.receivers {
		r.mu.Lock()
		fmt.Fprintf(&b, "%s: %v\n", r.name, r.calls)
		r.mu.Unlock()
	}
	hooks := 0
	orders, _ := hookOrders(w.hooks)
	for _, texts := range orders {
		hooks += len(texts)
	}
	fmt.Fprintf(&b, "committed for the receiver of the app: %d webhooks, %d about who is there\n", hooks, len(orders[whoIsThere]))
	sockets := 0
	for _, m := range w.members {
		list, _ := m.record()
		sockets += len(list)
	}
	fmt.Fprintf(&b, "presence: %d sockets of %d users; a member who had gone was shown for %v at most (bound %v)\n",
		sockets, len(w.members), w.slowestGhost.Round(time.Millisecond), presenceBound)
	kinds := map[string]int{}
	for _, v := range w.violations {
		kinds[v.kind]++
	}
	fmt.Fprintf(&b, "violations: %d %v\n", len(w.violations), kinds)
	w.t.Log(b.String())
	if n := len(w.violations); n > 0 {
		w.t.Errorf("%d violations; make chaos SEED=%d has the same schedule. The first ones:\n%s", n, w.seed, lines(w.violations[:min(n, 30)]))
	}
}

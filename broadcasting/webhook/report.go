package webhook

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"chatcast/channels/webpost"
)

// Bounds of what waits to be reported.
const (
	reportTime  = time.Second // from the first attempt until it is reported, with what came meanwhile
	reportMost  = 1000        // attempts that wait while the store is away; the newest ones stay
	reportBytes = 8 << 20     // of their events
)

// Kinds of an Attempt.
const (
	KindDelivery   = "delivery"
	KindRedelivery = "redelivery" // a person asked for it
	KindGivenUp    = "givenUp"    // no attempt: these events are not sent any more
)

// Attempt is how one POST went, for people. Its texts hold neither the URL nor a secret of
// the endpoint.
type Attempt struct {
	App      string
	Endpoint string // its id
	Kind     string
	Batch    string // names the events: all attempts at them have the same
	Events   string // JSON objects, joined with commas
	Count    int    // of the events
	Nth      int    // 1, 2, ... at the first of them
	Began    time.Time
	Duration time.Duration
	Status   int    // of the answer; 0: none came
	Reason   string // why it failed, in one word; empty: it was delivered
	Error    string // the same for people
	Answer   string // the first bytes
}

// Names returns the names of the events, each once, sorted.
func (a *Attempt) Names() []string {
	var list []struct{ Name string }
	_ = json.Unmarshal([]byte("["+a.Events+"]"), &list) // encode made them
	names := []string{}
	for _, e := range list {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// State is how the deliveries to an endpoint get on. The zero state is that of an endpoint
// whose last attempt succeeded.
type State struct {
	App        string
	Endpoint   string
	Generation int64     // rises when a person resumes or removes the endpoint
	Failures   int       // in a row
	Since      time.Time // when the first of them began
	Suspended  time.Time // nothing is sent since then, until a person resumes the endpoint; zero: it is
}

// Report is what people are shown of the deliveries.
type Report struct {
	Attempts []Attempt
	States   []State // the last of each endpoint
}

func (r *Report) empty() bool { return len(r.Attempts)+len(r.States) == 0 }

// reporter holds what is to be reported. The senders never wait for it.
type reporter struct {
	more chan struct{} // holds one: "there is something to report"

	mu sync.Mutex
	// guarded by mu
	attempts []Attempt
	states   map[senderKey]State
}

func newReporter() *reporter {
	return &reporter{more: make(chan struct{}, 1), states: map[senderKey]State{}}
}

// add notes attempts and a state. Of attempts that have no room, the oldest are dropped.
func (r *reporter) add(st *State, attempts ...Attempt) {
	r.mu.Lock()
	if st != nil {
		r.states[senderKey{st.App, st.Endpoint}] = *st
	}
	r.put(append(r.attempts, attempts...))
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// put replaces the attempts by the newest of list.
func (r *reporter) put(list []Attempt) { r.attempts = newest(list) }

// newest returns the newest attempts of list, as many as may wait to be reported.
func newest(list []Attempt) []Attempt {
	first, bytes := len(list), 0
	for ; first > 0 && len(list)-first < reportMost; first-- {
		if bytes += len(list[first-1].Events); bytes > reportBytes {
			break
		}
	}
	return list[first:]
}

// take takes what is to be reported.
func (r *reporter) take() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := &Report{Attempts: r.attempts}
	for _, st := range r.states {
		taken.States = append(taken.States, st)
	}
	r.attempts, r.states = nil, map[senderKey]State{}
	return taken
}

// giveBack takes back what could not be reported.
func (r *reporter) giveBack(list *Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range list.States {
		key := senderKey{st.App, st.Endpoint}
		if _, newer := r.states[key]; !newer {
			r.states[key] = st
		}
	}
	r.put(slices.Concat(list.Attempts, r.attempts))
}

// reportAll reports until ctx ends, at most once in reportTime. The store may be slow or
// away: nothing waits for it.
func (h *Hooks) reportAll(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-h.reports.more:
		case <-ctx.Done():
			return
		}
		webpost.Sleep(ctx, reportTime)
		for trouble := 0; ctx.Err() == nil && h.sendReport(ctx) != nil; trouble++ {
			webpost.Sleep(ctx, min(storeFirst<<min(trouble, 10), storeMost))
		}
	}
}

// sendReport reports what there is. It is not cut when ctx ends, so that nothing is reported
// twice.
func (h *Hooks) sendReport(ctx context.Context) error {
	list := h.reports.take()
	if list.empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err := h.store.Report(ctx, h.owner, list)
	if err != nil {
		h.reports.giveBack(list)
		h.storeErrors.Add(1)
		h.log.Warn("attempts at webhooks are not in their logs yet", "error", err)
	}
	return err
}

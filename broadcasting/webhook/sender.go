package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/channels/webpost"
)

// Bounds of a sender.
const (
	postEvents = 500       // of one POST
	postBytes  = 256 << 10 // of one POST; a single event may be larger
	postTime   = 5 * time.Second
	finishTime = 2 * time.Second // for a POST that is on its way when the process stops

	queueEvents = 100_000 // waiting for one endpoint
	queueBytes  = 32 << 20

	backoffFirst  = time.Second
	backoffMost   = 30 * time.Second
	giveUpAfter   = 5 * time.Minute
	suspendedLook = 30 * time.Second // while suspended: between looks at what has waited for giveUpAfter
)

// sender delivers to one endpoint: in order, one POST at a time.
type sender struct {
	// static
	client  *http.Client
	log     *slog.Logger
	report  func(outcome)
	reports *reporter
	to      atomic.Pointer[endpoint]
	// mayPost reports whether a POST that begins now ends before another process can
	// have the lease.
	mayPost  func() bool
	postTime time.Duration   // of one POST
	stats    *counters       // of the endpoint, kept as long as it is configured
	before   <-chan struct{} // closed when the endpoint's previous sender has ended; nil: there is none
	ended    chan struct{}   // closed when run has ended; nil: run was never started
	kick     chan struct{}   // holds one: "the state was changed"
	// suspendAfter is how long the endpoint may fail before it is suspended; 0: for ever.
	suspendAfter time.Duration

	mu sync.Mutex
	// guarded by mu
	state   State     // without App and Endpoint
	unknown bool      // the state is not read from the store yet
	queue   []waiting // committed, in order
	events  int       // in queue, or with reserved room
	bytes   int
}

// waiting is a delivery with the time since when this process has it.
type waiting struct {
	Delivery
	since time.Time
}

// outcome is the result of deliveries.
type outcome struct {
	done    []Ref
	failed  []Failure
	givenUp []Attempt // of those in done
}

// again returns a sender for the same endpoint that has nothing to deliver yet.
func (s *sender) again() *sender {
	next := &sender{
		client: s.client, log: s.log, report: s.report, reports: s.reports, mayPost: s.mayPost, postTime: s.postTime, suspendAfter: s.suspendAfter,
		stats: s.stats, before: s.before, kick: make(chan struct{}, 1), unknown: true,
	}
	if s.ended != nil {
		next.before = s.ended
	}
	next.to.Store(s.to.Load())
	return next
}

// run delivers until ctx ends. A POST that is on its way then may finish.
func (s *sender) run(ctx context.Context, more <-chan struct{}) {
	var p *post
	for ctx.Err() == nil {
		st := s.current()
		if !st.Suspended.IsZero() {
			p = nil
			s.expire(&Attempt{Reason: "suspended", Error: "the endpoint is suspended"})
			s.wait(ctx, suspendedLook)
			continue
		}
		if !s.mayPost() {
			webpost.Sleep(ctx, tendTime)
			continue
		}
		if p == nil {
			p = s.next(time.Now())
		}
		if p == nil {
			select {
			case <-more:
			case <-s.kick:
			case <-ctx.Done():
			}
			continue
		}
		if st.Failures > 0 {
			s.stats.retried.Add(1)
		}
		a := s.attempt(ctx, p)
		switch {
		case a.Reason == "":
			s.delivered(p, &a)
			p = nil
		case ctx.Err() != nil: // cut short: left to the next process
		default:
			wait := s.failed(p, &a)
			if s.expire(&a) {
				p = nil
			}
			s.wait(ctx, wait)
		}
	}
}

// wait waits until its time has passed, the state was changed, or ctx ends.
func (s *sender) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.kick:
	case <-ctx.Done():
	}
}

func (s *sender) delivered(p *post, a *Attempt) {
	done := make([]Ref, len(p.parts))
	for i, w := range p.parts {
		done[i] = Ref{w.App, w.ID}
	}
	s.shift(len(p.parts))
	s.stats.posts.Add(1)
	s.stats.delivered.Add(uint64(p.count))
	before, after := s.succeeded()
	if before.Failures > 0 {
		s.log.Info("webhooks are taken again", append(s.names(), "attempts", before.Failures+1, "waiting", s.pending())...)
	}
	s.report(outcome{done: done})
	s.reports.add(after, *a)
}

// failed counts and logs a failed attempt, and returns how long to wait before the next
// one.
func (s *sender) failed(p *post, a *Attempt) time.Duration {
	now := time.Now()
	st := s.failedSince(a.Began, now)
	p.tries++
	s.stats.failed.Add(1)
	wait := webpost.Backoff(st.Failures, backoffFirst, backoffMost)
	level := slog.LevelDebug
	if st.Failures == 1 {
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "a webhook was not taken and is tried again",
		append(s.names(), "reason", a.Reason, "error", a.Error, "attempts", st.Failures, "again_in", wait.Round(time.Millisecond), "events", p.count)...)
	if !st.Suspended.IsZero() {
		s.log.Error("webhooks are suspended: the endpoint took none for too long, and gets none until somebody resumes it",
			append(s.names(), "reason", a.Reason, "error", a.Error, "attempts", st.Failures, "since", st.Since.UTC().Format(time.RFC3339))...)
		wait = 0
	}
	s.reports.add(&st, *a)
	out := outcome{}
	s.mu.Lock()
	for i := range p.parts { // the first deliveries of the queue
		w := &s.queue[i]
		w.Attempts++
		out.failed = append(out.failed, Failure{Ref: Ref{w.App, w.ID}, Attempts: w.Attempts, Reason: a.Error, At: now})
	}
	s.mu.Unlock()
	s.report(out)
	return wait
}

// expire gives up the deliveries that have waited for giveUpAfter, if the endpoint has
// failed for as long, too. Deliveries that only waited behind a slow endpoint are still
// tried. It reports whether it gave up any; if so, the first of the queue is among
// them.
func (s *sender) expire(a *Attempt) bool {
	now := time.Now()
	s.mu.Lock()
	st := s.state
	if st.Failures == 0 || now.Sub(st.Since) < giveUpAfter {
		s.mu.Unlock()
		return false
	}
	n, events, out := 0, 0, outcome{}
	for n < len(s.queue) && now.Sub(s.queue[n].since) >= giveUpAfter {
		w := s.queue[n]
		out.done = append(out.done, Ref{w.App, w.ID})
		events += w.Count
		n++
	}
	gone := slices.Clone(s.queue[:n])
	s.mu.Unlock()
	if n == 0 {
		return false
	}
	s.shift(n)
	s.stats.givenUp.Add(uint64(events))
	s.log.Error("webhooks are given up: the endpoint took none for too long",
		append(s.names(), "events", events, "reason", a.Reason, "error", a.Error, "attempts", st.Failures, "since", st.Since.UTC().Format(time.RFC3339))...)
	out.givenUp = givenUp(s.to.Load(), gone, a, now)
	s.report(out)
	return true
}

// names returns log attributes that identify the endpoint without its URL, which may
// hold a secret.
func (s *sender) names() []any {
	to := s.to.Load()
	return []any{"app", to.app.ID, "endpoint", to.index, "host", to.host}
}

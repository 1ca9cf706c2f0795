package webhook

import (
	"context"
	"log/slog"
	"net/http"
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

	backoffFirst = time.Second
	backoffMost  = 30 * time.Second
	giveUpAfter  = 5 * time.Minute
)

// sender delivers to one endpoint: in order, one POST at a time.
type sender struct {
	// static
	client *http.Client
	log    *slog.Logger
	report func(outcome)
	to     atomic.Pointer[endpoint]
	// mayPost reports whether a POST that begins now ends before another process can
	// have the lease.
	mayPost  func() bool
	postTime time.Duration   // of one POST
	stats    *counters       // of the endpoint, kept as long as it is configured
	before   <-chan struct{} // closed when the endpoint's previous sender has ended; nil: there is none
	ended    chan struct{}   // closed when run has ended; nil: run was never started

	// owned by run
	failing time.Time // when the first of the failed attempts in a row began; zero: the last one succeeded
	tries   int       // number of failed attempts in a row

	mu sync.Mutex
	// guarded by mu
	queue  []waiting // committed, in order
	events int       // in queue, or with reserved room
	bytes  int
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
	givenUp []Failure
}

// again returns a sender for the same endpoint that has nothing to deliver yet.
func (s *sender) again() *sender {
	next := &sender{client: s.client, log: s.log, report: s.report, mayPost: s.mayPost, postTime: s.postTime, stats: s.stats, before: s.before}
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
			case <-ctx.Done():
			}
			continue
		}
		began := time.Now()
		if s.tries > 0 {
			s.stats.retried.Add(1)
		}
		failure := s.attempt(ctx, p)
		switch {
		case failure == nil:
			s.delivered(p)
			p = nil
		case ctx.Err() != nil: // cut short: left to the next process
		default:
			wait := s.failed(p, failure, began)
			if s.expire(failure) {
				p = nil
			}
			webpost.Sleep(ctx, wait)
		}
	}
}

func (s *sender) delivered(p *post) {
	done := make([]Ref, len(p.parts))
	for i, w := range p.parts {
		done[i] = Ref{w.App, w.ID}
	}
	s.shift(len(p.parts))
	s.stats.posts.Add(1)
	s.stats.delivered.Add(uint64(p.events))
	if s.tries > 0 {
		s.log.Info("webhooks are taken again", append(s.names(), "attempts", s.tries+1, "waiting", s.pending())...)
	}
	s.failing, s.tries = time.Time{}, 0
	s.report(outcome{done: done})
}

// failed counts and logs a failed attempt, and returns how long to wait before the next
// one.
func (s *sender) failed(p *post, f *webpost.Error, began time.Time) time.Duration {
	if s.tries == 0 {
		s.failing = began
	}
	s.tries++
	s.stats.failed.Add(1)
	wait := webpost.Backoff(s.tries, backoffFirst, backoffMost)
	level := slog.LevelDebug
	if s.tries == 1 {
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "a webhook was not taken and is tried again",
		append(s.names(), "reason", f.Reason, "error", f.Text, "attempts", s.tries, "again_in", wait.Round(time.Millisecond), "events", p.events)...)
	now, out := time.Now(), outcome{}
	s.mu.Lock()
	for i := range p.parts { // the first deliveries of the queue
		w := &s.queue[i]
		w.Attempts++
		out.failed = append(out.failed, Failure{Ref: Ref{w.App, w.ID}, Attempts: w.Attempts, Reason: f.Text, At: now})
	}
	s.mu.Unlock()
	s.report(out)
	return wait
}

// expire gives up the deliveries that have waited for giveUpAfter, if the endpoint has
// failed for as long, too. Deliveries that only waited behind a slow endpoint are still
// tried. It reports whether it gave up any; if so, the first of the queue is among
// them.
func (s *sender) expire(f *webpost.Error) bool {
	now := time.Now()
	if now.Sub(s.failing) < giveUpAfter {
		return false
	}
	s.mu.Lock()
	n, events, out := 0, 0, outcome{}
	for n < len(s.queue) && now.Sub(s.queue[n].since) >= giveUpAfter {
		w := s.queue[n]
		out.givenUp = append(out.givenUp, Failure{Ref: Ref{w.App, w.ID}, Attempts: w.Attempts, Reason: f.Text, At: now})
		events += w.Count
		n++
	}
	s.mu.Unlock()
	if n == 0 {
		return false
	}
	s.shift(n)
	s.stats.givenUp.Add(uint64(events))
	s.log.Error("webhooks are given up: the endpoint took none for too long",
		append(s.names(), "events", events, "reason", f.Reason, "error", f.Text, "attempts", s.tries, "since", s.failing.UTC().Format(time.RFC3339))...)
	s.report(out)
	return true
}

// names returns log attributes that identify the endpoint without its URL, which may
// hold a secret.
func (s *sender) names() []any {
	to := s.to.Load()
	return []any{"app", to.app.ID, "endpoint", to.index, "host", to.host}
}

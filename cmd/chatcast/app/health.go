package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/models"
)

// Times of the health checks.
const (
	readyTime  = 3 * time.Second // how long /readyz waits for its checks
	probeEvery = 5 * time.Second // between two probes
	probeTime  = 5 * time.Second // for one probe
)

// health serves /healthz, which reports that the program runs, and /readyz, which
// reports whether it can work. The reason why it cannot is logged, not answered.
type health struct {
	checks   []healthCheck // made for each request
	probes   []*probe      // made by run
	log      *slog.Logger
	stopping atomic.Bool

	mu     sync.Mutex
	logged map[string]notReady // guarded by mu; by check
}

// notReady is what was logged last of a check that failed.
type notReady struct {
	trouble  string
	at       time.Time
	unlogged int // failures since
}

// notReadyEvery is the time between two lines about a check that fails in one way: anybody
// may ask /readyz, as often as they like.
const notReadyEvery = 10 * time.Second

// note logs that a check has failed, or that it no longer does.
func (h *health) note(ctx context.Context, check, trouble string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, failed := h.logged[check]
	now := time.Now()
	switch {
	case err == nil && failed:
		delete(h.logged, check)
		h.log.InfoContext(ctx, "ready again", "check", check, "unlogged", last.unlogged)
	case err == nil:
	case failed && last.trouble == trouble && now.Sub(last.at) < notReadyEvery:
		last.unlogged++
		h.logged[check] = last
	default:
		if h.logged == nil {
			h.logged = map[string]notReady{}
		}
		h.logged[check] = notReady{trouble: trouble, at: now}
		h.log.WarnContext(ctx, "not ready", "check", check, "trouble", trouble, "unlogged", last.unlogged, "error", err)
	}
}

type healthCheck struct {
	name string
	ask  func(ctx context.Context) error
}

// probe is a check that costs too much to be made for each request, such as one that
// writes. Requests get the last result.
type probe struct {
	healthCheck

	mu sync.Mutex
	// guarded by mu
	last  error
	began time.Time // of the probe that is being made; zero: none
}

// result returns the last result, or that no probe has ended for too long: a disk or a
// file server may hang.
func (p *probe) result(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.began.IsZero() && time.Since(p.began) > 2*probeTime {
		return errHangs
	}
	return p.last
}

var errHangs = errors.New("a write does not end")

func (p *probe) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
}

func (p *probe) end(err error) (before error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.last, p.began = p.last, err, time.Time{}
	return before
}

// run makes the probes until ctx ends; then it returns nil.
func (h *health) run(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, p := range h.probes {
			h.try(ctx, p)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// try makes a probe, and logs when its result changes.
func (h *health) try(ctx context.Context, p *probe) {
	limited, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	p.begin()
	err := p.ask(limited)
	if ctx.Err() != nil { // the program stops
		err = nil
	}
	switch before := p.end(err); {
	case err != nil && before == nil:
		h.log.ErrorContext(ctx, "this can no longer be written to", "check", p.name, "trouble", troubleWord(err), "error", err)
	case err == nil && before != nil:
		h.log.InfoContext(ctx, "this can be written to again", "check", p.name)
	}
}

func (h *health) register(r gin.IRouter) {
	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	r.GET("/readyz", h.ready)
}

// troubleWord returns why a check has failed, as far as there is a word for it.
func troubleWord(err error) string {
	switch why := models.TroubleOf(err); {
	case errors.Is(err, errHangs):
		return string(models.TroubleSlow)
	case why != "":
		return string(why)
	case crm.DiskFull(err):
		return string(models.TroubleFull)
	}
	return "failed"
}

// all returns the checks of a request.
func (h *health) all() []healthCheck {
	all := h.checks[:len(h.checks):len(h.checks)]
	for _, p := range h.probes {
		all = append(all, healthCheck{p.name, p.result})
	}
	return all
}

func (h *health) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTime)
	defer cancel()
	status, code := "ok", http.StatusOK
	checks := gin.H{}
	for _, check := range h.all() {
		checks[check.name] = "ok"
		err, trouble := check.ask(ctx), ""
		if err != nil {
			trouble = troubleWord(err)
			checks[check.name], status, code = trouble, "unavailable", http.StatusServiceUnavailable
		}
		h.note(ctx, check.name, trouble, err)
	}
	if h.stopping.Load() {
		status, code = "stopping", http.StatusServiceUnavailable
	}
	c.JSON(code, gin.H{"status": status, "checks": checks})
}

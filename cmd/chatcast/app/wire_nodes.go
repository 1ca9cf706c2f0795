package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/postgres"
	"chatcast/broadcasting/redis"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/models"
)

// cacheLimits is what keeps the last events of cache channels.
type cacheLimits interface {
	SetCacheLimits(ttl time.Duration, bytes int)
}

// wireEngine makes the engine, and what connects it: to itself, or to the nodes on the same
// database.
func (r *components) wireEngine(ctx context.Context, cfg config.Config, log *slog.Logger) (err error) {
	ttl, bytes := time.Duration(cfg.Limits.CacheTTL), cfg.Limits.CacheBytes
	o := broadcasting.Options{Queued: r.measures.queued}
	if cfg.Bus.Cluster() {
		if r.nodes, err = openNode(ctx, cfg, log); err != nil {
			return fmt.Errorf("bus.url: %w", err)
		}
		o.Broker, o.Presence, o.Control, r.cache = r.nodes.Broker(), r.nodes.Presence(), r.nodes.Control(), r.nodes
	} else {
		nodes := broadcasting.NewMemory(broadcasting.MemoryOptions{CacheTTL: ttl, CacheBytes: bytes})
		o.Broker, o.Presence, o.Control, r.cache = nodes.Broker(), nodes.Presence(), nodes.Control(), nodes
	}
	r.engine = broadcasting.NewEngine(o)
	if r.nodes != nil {
		r.nodes.OnCutOff(r.engine.CutOff)
		r.handover.others = func() bool {
			s := r.nodes.Stats()
			return s.Up && s.Nodes > 1
		}
	}
	return nil
}

// openNode makes this process a node of the cluster.
func openNode(ctx context.Context, cfg config.Config, log *slog.Logger) (*cluster.Node, error) {
	ttl, bytes := time.Duration(cfg.Limits.CacheTTL), cfg.Limits.CacheBytes
	if cfg.Bus.Redis() {
		return redis.Open(ctx, redis.Options{URL: cfg.Bus.URL, Log: log, CacheTTL: ttl, CacheBytes: bytes})
	}
	return postgres.Open(ctx, postgres.Options{URL: cfg.Database.URL, Log: log, CacheTTL: ttl, CacheBytes: bytes, Lock: models.LockServe})
}

// wireRelay makes the relay. In a cluster the leading one only numbers the journal, and each
// node delivers it to its own sockets.
func (r *components) wireRelay(cfg config.Config, journal *crm.Journal, log *slog.Logger) {
	app := cfg.Apps[0].ID
	o := broadcasting.RelayOptions{Journal: journal, App: app, Log: log, Retention: time.Duration(cfg.Journal.Retention)}
	if cfg.Bus.Cluster() {
		o.Mark, o.Poll = journal.MarkNumbered, wakePoll
		r.waker = &waker{store: r.store, log: log, due: make(chan struct{}, 1)}
		r.tail = broadcasting.NewTail(broadcasting.TailOptions{
			Journal: journal, Deliver: r.tracing.publishing(r.engine.PublishHere), Missed: r.engine.CutOff, App: app, Log: log,
		})
	} else {
		o.Publish = r.tracing.publishing(r.engine.Publish)
	}
	r.relay = broadcasting.NewRelay(o)
}

// wakePoll is how often the relay of a cluster looks by itself, in case the node that changed
// something died before it told.
const wakePoll = time.Second

// waker tells the node that leads the relay that this one has changed something. What happens
// while it tells is told together.
type waker struct {
	store *models.Store
	log   *slog.Logger
	due   chan struct{} // holds one
}

func (w *waker) wake() {
	select {
	case w.due <- struct{}{}:
	default: // it will be told anyway
	}
}

// Run tells until ctx ends; then it returns nil.
func (w *waker) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.due:
		}
		if err := w.store.NotifyAppended(ctx); err != nil && ctx.Err() == nil {
			w.log.DebugContext(ctx, "the relay was not told of a change, and will see it", "error", err)
		}
	}
}

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
		o.Mark = journal.MarkNumbered
		r.tail = broadcasting.NewTail(broadcasting.TailOptions{
			Journal: journal, Deliver: r.tracing.publishing(r.engine.PublishHere), Missed: r.engine.CutOff, App: app, Log: log,
		})
	} else {
		o.Publish = r.tracing.publishing(r.engine.Publish)
	}
	r.relay = broadcasting.NewRelay(o)
}

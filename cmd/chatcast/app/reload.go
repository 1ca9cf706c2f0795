package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/config"
	"chatcast/server"
)

// Reload brings those settings of next into force that can change while the program
// runs: apps, allowed origins, limits, the level of the log, and the certificate. It
// logs what has changed, and names the changed settings that need a restart. After an
// error nothing has changed. next must have been checked.
func (p *Program) Reload(ctx context.Context, next config.Config) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	target := p.current
	target.Apps, target.Limits = next.Apps, next.Limits
	target.Server.AllowedOrigins, target.Log.Level = next.Server.AllowedOrigins, next.Log.Level
	if p.tls != nil && next.Server.TLS.Cert != "" {
		target.Server.TLS = next.Server.TLS
	}
	if first, now := next.Apps[0], p.current.Apps[0]; first.ID != now.ID || first.Key != now.Key {
		target.Apps = p.current.Apps // it carries the CRM's channels, and pages know its key
	}
	if err := p.apply(ctx, target); err != nil {
		return err
	}
	changed := config.Changed(&p.current, &target)
	p.current = target
	if rest := config.Changed(&target, &next); len(rest) > 0 {
		p.log.WarnContext(ctx, "these settings have changed and need a restart", "settings", rest)
	}
	p.log.InfoContext(ctx, "the configuration was reloaded", "changed", changed)
	return nil
}

// apply brings the settings of target into force that can change. What can fail comes
// first; after an error nothing has changed.
func (p *Program) apply(ctx context.Context, target config.Config) error {
	r := p.parts
	origins, err := apps.ParseOrigins(target.Server.AllowedOrigins)
	if err != nil {
		return fmt.Errorf("server.allowed_origins: %w", err)
	}
	fixed, err := configApps(ctx, target.Apps, r.rules)
	if err != nil {
		return fmt.Errorf("apps: %w", err)
	}
	if p.tls != nil {
		if err := p.tls.use(target.Server.TLS); err != nil {
			return fmt.Errorf("server.tls: %w", err)
		}
	}
	if err := r.watcher.SetFixed(ctx, fixed, target.Limits.Apps); err != nil {
		err = fmt.Errorf("apps: %w", err)
		if p.tls != nil {
			err = errors.Join(err, p.tls.use(p.current.Server.TLS))
		}
		return err
	}
	r.rules.SetConfigApps(target.Apps)
	r.reorigin(origins)
	l := target.Limits
	r.sockets.SetLimits(server.Limits{
		QueueBytes: l.QueueBytes, MessageBytes: l.MessageBytes, PerAddress: l.SocketsPerAddress,
		ActivityTimeout: time.Duration(l.ActivityTimeout), PongTimeout: time.Duration(l.PongTimeout),
	})
	r.dialect.SetMessageRate(l.MessagesPerSecond, l.MessagesBurst)
	r.cache.SetCacheLimits(time.Duration(l.CacheTTL), l.CacheBytes)
	if p.level != nil {
		p.level.Set(config.Level(target.Log.Level))
	}
	return nil
}

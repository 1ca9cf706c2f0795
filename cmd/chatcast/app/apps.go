package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
)

// appsPoll is how often a server looks whether another process, such as a command,
// has changed an app.
const appsPoll = time.Second

// appReloader is the list of all apps: those of the configuration, then those of the
// database, kept as they are now. Safe for concurrent use.
type appReloader struct {
	// static
	cfg     config.Config
	fixed   []apps.App // of the configuration
	rules   *crm.Service
	log     *slog.Logger
	changed func([]apps.App) error // called with the whole list, first of all and after each change

	mu sync.Mutex
	// guarded by mu
	version int64           // that the list has at least; -1: nobody has it yet
	skipped map[string]bool // what was complained of
}

// newAppReloader reads the apps of the configuration, with the secrets that were
// generated for those that have none.
func newAppReloader(ctx context.Context, cfg config.Config, rules *crm.Service, log *slog.Logger) (*appReloader, error) {
	b := &appReloader{cfg: cfg, rules: rules, log: log, version: -1, skipped: map[string]bool{}}
	for _, a := range cfg.Apps {
		value, err := AppSecret(ctx, rules, a)
		if err != nil {
			return nil, err
		}
		a.Secret = value
		a.Limits = a.Limits.Or(cfg.Limits.Apps)
		b.fixed = append(b.fixed, a)
	}
	return b, nil
}

// list is all apps as they are now. An app of the database that the configuration
// has too, by id or by key, is not served.
func (b *appReloader) list(ctx context.Context) (list []apps.App, version int64, err error) {
	stored, version, err := b.rules.LoadApps(ctx)
	if err != nil {
		return nil, 0, err
	}
	list = append(list, b.fixed...)
	for _, app := range stored {
		app.Limits = app.Limits.Or(b.cfg.Limits.Apps)
		if why := b.unfit(app); why != "" {
			if !b.skipped[app.ID+why] {
				b.log.WarnContext(ctx, "an app of the database is not served", "app", app.ID, "error", why)
			}
			b.skipped[app.ID+why] = true
			continue
		}
		list = append(list, app)
	}
	return list, version, nil
}

// unfit says why an app of the database cannot be served, "" when it can.
func (b *appReloader) unfit(app apps.App) string {
	for _, f := range b.fixed {
		if f.ID == app.ID || f.Key == app.Key {
			return fmt.Sprintf("the app %q of the configuration has its id or key", f.ID)
		}
	}
	if err := app.CheckServed().Err(); err != nil {
		return err.Error()
	}
	return ""
}

// reload brings what has changed into force. Who finds that nothing has changed
// since has it in force too.
func (b *appReloader) reload(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	version, err := b.rules.AppsVersion(ctx)
	if err != nil || version == b.version {
		return err
	}
	list, version, err := b.list(ctx)
	if err != nil {
		return err
	}
	if err := b.changed(list); err != nil {
		return err
	}
	b.log.DebugContext(ctx, "apps in force", "apps", len(list), "version", version)
	b.version = version
	return nil
}

// now is reload for the rules: an error is logged, and the next look tries again.
func (b *appReloader) now(ctx context.Context) {
	if err := b.reload(ctx); err != nil {
		b.log.ErrorContext(ctx, "a change of apps is not in force yet", "error", err)
	}
}

// Run looks for changes by other processes until ctx ends.
func (b *appReloader) Run(ctx context.Context) error {
	tick := time.NewTicker(appsPoll)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := b.reload(ctx)
		if err != nil && ctx.Err() == nil && !failing { // once, not each second
			b.log.ErrorContext(ctx, "the apps of the database could not be read; those that were read last are served", "error", err)
		}
		failing = err != nil
	}
}

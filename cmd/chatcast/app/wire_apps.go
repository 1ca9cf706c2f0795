package app

import (
	"context"
	"log/slog"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/history"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/server/pusher"
)

// wireApps makes the list of apps, and lets its users follow its changes.
func (r *components) wireApps(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	fixed, err := configApps(ctx, cfg.Apps, r.rules)
	if err != nil {
		return err
	}
	r.watcher = apps.NewWatcher(apps.WatcherOptions{Store: r.rules, Fixed: fixed, Common: cfg.Limits.Apps, Apply: r.setApps, Log: log})
	r.rules.OnAppsChanged(r.appsChanged)
	r.engine.OnAppsChanged(r.watcher.Changed)
	return r.watcher.Reload(ctx)
}

// setApps is called with all apps, at the start and after each change of one. It
// passes them to the owners of sockets, limits and webhooks. The list includes
// disabled apps, so that their backends learn that everybody has left. After an error
// the previous list stays in force, and the caller tries again.
func (r *components) setApps(list []apps.App) (err error) {
	if r.apps == nil {
		r.served = list
		if r.apps, err = pusher.NewApps(list); err == nil {
			r.apps.OnRemoved(r.removeApp)
		}
		return err
	}
	if err := r.apps.Replace(list); err != nil {
		return err
	}
	return r.hooks.Set(list)
}

// appsChanged applies a change of an app on every node.
func (r *components) appsChanged(ctx context.Context) {
	r.watcher.Changed(ctx)
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	if err := r.engine.AppsChanged(ctx); err != nil {
		r.log.WarnContext(ctx, "another node was not told of a change of apps, and will see it when it looks", "error", err)
	}
}

// removeApp makes the engine remove an app. Each node does so when it sees the change.
func (r *components) removeApp(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	if err := r.engine.RemoveApp(ctx, id); err != nil {
		r.log.ErrorContext(ctx, "the cached events of an app were not removed", "app", id, "error", err)
	}
}

// wireHistory makes the history of apps' channels. The nodes learn of each other's events as
// they learn of the journal's.
func (r *components) wireHistory(ctx context.Context, cfg config.Config, journal *crm.Journal, log *slog.Logger) (err error) {
	store := historyStore{r.store}
	if err := store.keepRules(ctx, cfg.Apps); err != nil {
		return err
	}
	r.history, err = history.New(ctx, history.Options{
		Store: store, Engine: r.engine, Log: log, MaxBytes: r.maxHistory,
	})
	journal.AppEvents = r.history.Wake
	r.engine.SetAppHistory(r.history.Of, log)
	return err
}

// maxHistory returns how many bytes of an app's events may be kept. What is left of an app
// that is no longer there stays until its time is over.
func (r *components) maxHistory(app string) int64 {
	if a := r.apps.ByID(app); a != nil {
		return int64(a.Limits.HistoryBytes)
	}
	return int64(apps.DefaultLimits().HistoryBytes)
}

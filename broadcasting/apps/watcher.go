package apps

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// watchEvery is how often a Watcher asks the store for changes by other processes.
const watchEvery = time.Second

// WatcherOptions are the options of a Watcher.
type WatcherOptions struct {
	Store Store
	// Fixed are the apps of the configuration. They come first and win over apps of the
	// store that have the same id or key. See SetFixed.
	Fixed []App
	// Common are the limits of apps that set none of their own.
	Common Limits
	// Apply brings a list of all apps into force. It is called at the beginning and
	// after each change. After an error it is called with the list again.
	Apply func(list []App) error
	Log   *slog.Logger
}

// Watcher brings the apps of the configuration and of a store into force, and follows
// their changes. Safe for concurrent use.
type Watcher struct {
	opt WatcherOptions // Fixed and Common are guarded by mu

	mu      sync.Mutex
	version int64           // the least version in force; -1: none yet; guarded by mu
	skipped map[string]bool // problems that were logged; guarded by mu
}

// NewWatcher returns a Watcher. It brings nothing into force until Reload or Run is
// called.
func NewWatcher(o WatcherOptions) *Watcher {
	return &Watcher{opt: o, version: -1, skipped: map[string]bool{}}
}

// Reload brings changes into force. When it returns nil, all earlier changes are in
// force, including those that a concurrent call applied.
func (w *Watcher) Reload(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reload(ctx)
}

// SetFixed replaces the apps of the configuration and the common limits, and brings them
// into force. After an error the ones before stay.
func (w *Watcher) SetFixed(ctx context.Context, fixed []App, common Limits) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.opt
	w.opt.Fixed, w.opt.Common, w.version = fixed, common, -1
	err := w.reload(ctx)
	if err != nil {
		w.opt, w.version = before, -1 // a part of the change may be in force: Run undoes it
	}
	return err
}

// reload needs mu.
func (w *Watcher) reload(ctx context.Context) error {
	version, err := w.opt.Store.AppsVersion(ctx)
	if err != nil || version == w.version {
		return err
	}
	list, version, err := w.list(ctx)
	if err != nil {
		return err
	}
	if err := w.opt.Apply(list); err != nil {
		return err
	}
	w.opt.Log.DebugContext(ctx, "apps in force", "apps", len(list), "version", version)
	w.version = version
	return nil
}

// Changed is Reload for a caller that has just changed an app and cannot handle an
// error. The error is logged, and Run tries again.
func (w *Watcher) Changed(ctx context.Context) {
	if err := w.Reload(ctx); err != nil {
		w.opt.Log.ErrorContext(ctx, "a change of apps is not in force yet", "error", err)
	}
}

// Run brings changes by other processes into force until ctx ends. It returns nil.
func (w *Watcher) Run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := w.Reload(ctx)
		if err != nil && ctx.Err() == nil && !failing { // once, not each second
			w.opt.Log.ErrorContext(ctx, "changed apps could not be brought into force; the last ones are served", "error", err)
		}
		failing = err != nil
	}
}

// list returns all apps that can be served, the fixed ones first; needs mu.
func (w *Watcher) list(ctx context.Context) (list []App, version int64, err error) {
	stored, version, err := w.opt.Store.LoadApps(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, app := range w.opt.Fixed {
		app.Limits = app.Limits.Or(w.opt.Common)
		list = append(list, app)
	}
	for _, app := range stored {
		if why := w.unfit(app); why != "" {
			if !w.skipped[app.ID+why] {
				w.opt.Log.WarnContext(ctx, "an app of the database is not served", "app", app.ID, "error", why)
			}
			w.skipped[app.ID+why] = true
			continue
		}
		app.Limits = app.Limits.Or(w.opt.Common)
		list = append(list, app)
	}
	return list, version, nil
}

// unfit returns the reason why an app of the store cannot be served, or "".
func (w *Watcher) unfit(app App) string {
	for _, fixed := range w.opt.Fixed {
		if fixed.ID == app.ID || fixed.Key == app.Key {
			return fmt.Sprintf("the app %q of the configuration has its id or key", fixed.ID)
		}
	}
	if err := app.CheckServed().Err(); err != nil {
		return err.Error()
	}
	return ""
}

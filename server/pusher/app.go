package pusher

import (
	"chatcast/broadcasting/apps"
)

// App is an app as it is served: all limits filled in, and origins parsed. It must not
// be changed.
type App struct {
	apps.App

	origins  apps.Origins
	history  apps.Histories
	rates    *rates
	counters *appCounters // of its state; set by Apps.Replace
}

// newApp returns a copy of a as it is served. The error names everything that is wrong.
func newApp(a apps.App) (*App, error) {
	if err := a.CheckServed().Err(); err != nil {
		return nil, err
	}
	served := &App{App: a.Clone(), rates: new(rates)}
	if a.OldSecret == a.Secret { // else the secret would outlive its time
		served.OldSecret = ""
	}
	served.Limits = a.Limits.Or(apps.DefaultLimits())
	var err error
	if served.origins, err = apps.ParseOrigins(a.AllowedOrigins); err != nil {
		return nil, err
	}
	served.history, err = apps.ParseHistory(a.History)
	return served, err
}

// AllowsOrigin reports whether a page of this origin may connect to the app. A client
// with an empty origin may: it is not a browser, or a page of this server.
func (a *App) AllowsOrigin(origin string) bool { return a.origins.Allow(origin) }

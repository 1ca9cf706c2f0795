package app

import (
	"context"
	"slices"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
)

// AppSecret returns the app's configured secret, or else the one generated and stored.
func AppSecret(ctx context.Context, rules *crm.Service, app apps.App) (string, error) {
	if app.Secret != "" {
		return app.Secret, nil
	}
	return rules.AppSecret(ctx, app.ID)
}

// configApps returns the apps of the configuration. Those without a secret get the
// generated one.
func configApps(ctx context.Context, configured []apps.App, rules *crm.Service) ([]apps.App, error) {
	list := slices.Clone(configured)
	for i, a := range list {
		secret, err := AppSecret(ctx, rules, a)
		if err != nil {
			return nil, err
		}
		list[i].Secret = secret
	}
	return list, nil
}

package app

import (
	"context"
	"slices"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
)

// AppSecret is the configured one, or the one that was generated and kept.
func AppSecret(ctx context.Context, rules *crm.Service, app apps.App) (string, error) {
	if app.Secret != "" {
		return app.Secret, nil
	}
	return rules.AppSecret(ctx, app.ID)
}

// configApps are the apps of the configuration, with the secrets that were generated for
// those that have none.
func configApps(ctx context.Context, cfg config.Config, rules *crm.Service) ([]apps.App, error) {
	list := slices.Clone(cfg.Apps)
	for i, a := range list {
		secret, err := AppSecret(ctx, rules, a)
		if err != nil {
			return nil, err
		}
		list[i].Secret = secret
	}
	return list, nil
}

package main

import (
	"context"
	"errors"
	"fmt"

	"chatcast/cmd/chatcast/app"
	"chatcast/crm"
)

// migrate migrates the database to the schema of this version.
func migrate(ctx context.Context, in invocation) error {
	store, err := app.OpenStore(ctx, in.cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(in.stdout, "the database is up to date")
	return store.Close()
}

// token prints an access token and nothing else, so that a script can read it.
func token(ctx context.Context, in invocation) error {
	if in.email == "" {
		return errUsage{errors.New("usage: chatcast token --email E")}
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		pair, err := rules.IssueToken(ctx, in.email)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(in.stdout, pair.AccessToken)
		return err
	})
}

// secret prints the secret of an app and nothing else. The default is the first app.
func secret(ctx context.Context, in invocation) error {
	if in.app == "" {
		in.app = in.cfg.Apps[0].ID
	}
	for _, configured := range in.cfg.Apps {
		if configured.ID != in.app {
			continue
		}
		return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
			value, err := app.AppSecret(ctx, rules, configured)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(in.stdout, value)
			return err
		})
	}
	return app.WithRules(ctx, in.cfg, func(rules *crm.Service) error {
		stored, _, err := rules.LoadApps(ctx)
		if err != nil {
			return err
		}
		for _, app := range stored {
			if app.ID == in.app {
				_, err := fmt.Fprintln(in.stdout, app.Secret)
				return err
			}
		}
		return errUsage{fmt.Errorf("chatcast secret: there is no app with the id %q", in.app)}
	})
}

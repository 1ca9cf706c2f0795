package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"chatcast/crm"
	"chatcast/models"
)

// migrate brings the database to this version.
func migrate(ctx context.Context, in invocation) error {
	store, err := openStore(ctx, in.cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(in.stdout, "the database is of this version")
	return store.Close()
}

// token prints an access token, alone, so that a script can take it.
func token(ctx context.Context, in invocation) error {
	if in.email == "" {
		return errUsage{errors.New("usage: chatcast token --email E")}
	}
	return withRules(ctx, in.cfg, func(rules *crm.Service) error {
		pair, err := rules.IssueToken(ctx, in.email)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(in.stdout, pair.AccessToken)
		return err
	})
}

// secret prints the secret of an app, alone: the first app's when none is named.
func secret(ctx context.Context, in invocation) error {
	if in.app == "" {
		in.app = in.cfg.Apps[0].ID
	}
	for _, app := range in.cfg.Apps {
		if app.ID != in.app {
			continue
		}
		return withRules(ctx, in.cfg, func(rules *crm.Service) error {
			value, err := appSecret(ctx, rules, app)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(in.stdout, value)
			return err
		})
	}
	return withRules(ctx, in.cfg, func(rules *crm.Service) error {
		stored, _, err := rules.ServedApps(ctx)
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

// appSecret is the configured one, or the one that was generated and kept.
func appSecret(ctx context.Context, rules *crm.Service, app AppConfig) (string, error) {
	if app.Secret != "" {
		return app.Secret, nil
	}
	return rules.AppSecret(ctx, app.ID)
}

// openStore opens the database and brings it to this version.
func openStore(ctx context.Context, cfg Config) (*models.Store, error) {
	store, err := models.Open(ctx, cfg.Database.URL)
	if err != nil {
		return nil, fmt.Errorf("database.url: %w", err)
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// withRules runs f with the rules of the CRM, beside a server that may be
// running on the same database. It is for what causes no event.
func withRules(ctx context.Context, cfg Config, f func(rules *crm.Service) error) error {
	store, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	rules := crm.New(crm.Options{Store: store, Live: nobody{}, Log: slog.New(slog.DiscardHandler),
		ConfigApps: configApps(cfg), CheckOrigin: checkOrigin})
	return errors.Join(f(rules), store.Close())
}

// nobody is connected to a command that ends at once.
type nobody struct{}

var _ crm.Live = nobody{}

func (nobody) Wake()                            {}
func (nobody) Evict(int64, ...string)           {}
func (nobody) Disconnect(int64)                 {}
func (nobody) Publish([]string, string, string) {}

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/models"
)

// OpenStore opens the database and migrates it to the schema of this version.
func OpenStore(ctx context.Context, cfg config.Config) (*models.Store, error) {
	store, err := models.Open(ctx, cfg.Database.URL)
	if err != nil {
		return nil, fmt.Errorf("database.url: %w", err)
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// WithRules calls f with the rules of the CRM. A server may be running on the same
// database. It is for commands that cause no event.
func WithRules(ctx context.Context, cfg config.Config, f func(rules *crm.Service) error) error {
	store, err := OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	rules := crm.New(crm.Options{Store: store, Live: nobody{}, Log: slog.New(slog.DiscardHandler), ConfigApps: cfg.Apps})
	return errors.Join(f(rules), store.Close())
}

// nobody is the crm.Live of commands, which serve no sockets.
type nobody struct{}

var _ crm.Live = nobody{}

func (nobody) Wake()                            {}
func (nobody) Unsubscribe(int64, ...string)     {}
func (nobody) Disconnect(int64)                 {}
func (nobody) Publish([]string, string, string) {}

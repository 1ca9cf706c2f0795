package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/models"
)

// openStore opens the database and brings it to the schema of this version with migrate.
func openStore(ctx context.Context, cfg config.Config, migrate func(context.Context, *models.Store) error) (*models.Store, error) {
	store, err := models.Open(ctx, cfg.Database.URL)
	if err != nil {
		return nil, fmt.Errorf("database.url: %w", err)
	}
	if err := migrate(ctx, store); err != nil {
		return nil, errors.Join(wrongVersion(err), store.Close())
	}
	return store, nil
}

// wrongVersion tells what to do about a database of another version.
func wrongVersion(err error) error {
	switch {
	case errors.Is(err, models.ErrNewerDatabase):
		return fmt.Errorf("%w; run the newer program, or restore a backup of before it: see docs/operations.md", err)
	case errors.Is(err, models.ErrServedOlder):
		return fmt.Errorf("%w; run the command with the server's own program, or stop the server first", err)
	}
	return err
}

// besideServer migrates for commands, which may run beside a server: not under a server
// that does not know the new schema.
func besideServer(ctx context.Context, store *models.Store) error {
	return store.MigrateUnlessServed(ctx)
}

// alone locks the database before it migrates: another server may not know the new schema.
func alone(ctx context.Context, store *models.Store) error {
	if err := store.Lock(ctx); err != nil {
		return err
	}
	return store.Migrate(ctx)
}

// together lets others serve from the database too, if they know its schema and are on the
// same bus. Nodes that start at the same time wait for the one that migrates.
func together(ctx context.Context, store *models.Store, bus string) error {
	err := store.MigrateUnlessServed(ctx)
	for range migrationWaits {
		if !errors.Is(err, models.ErrServedOlder) || ctx.Err() != nil {
			break
		}
		err = store.MigrateUnlessServed(ctx)
	}
	if err != nil {
		return err
	}
	return store.LockShared(ctx, bus)
}

// migrationWaits is how often a node looks again whether another one has migrated, which
// takes two seconds each time.
const migrationWaits = 15

// OpenStore opens the database for a command, migrates it to the schema of this version,
// and gives it the keys of its secrets.
func OpenStore(ctx context.Context, cfg config.Config) (*models.Store, error) {
	return openWithKeys(ctx, cfg, besideServer)
}

// openToServe is OpenStore for the server, which is alone on its database unless the bus is
// that of a cluster. A process that follows another one waits until that one has ended.
func (p *Program) openToServe(ctx context.Context) (*models.Store, error) {
	if p.cfg.Bus.Cluster() {
		bus := p.cfg.Bus.Name()
		store, err := openWithKeys(ctx, p.cfg, func(ctx context.Context, store *models.Store) error { return together(ctx, store, bus) })
		switch {
		case errors.Is(err, models.ErrOtherBus):
			return nil, fmt.Errorf("bus.url: %w: they and this one would not hear each other; give all the same, and stop all before it is changed", err)
		case errors.Is(err, models.ErrLocked):
			return nil, fmt.Errorf("%w, with bus.url memory:; stop it first", err)
		case errors.Is(err, models.ErrServedOlder):
			return nil, fmt.Errorf("%w; stop all nodes before one of a version with another schema", err)
		}
		return store, err
	}
	store, err := openWithKeys(ctx, p.cfg, alone)
	for end := time.Now().Add(takeOverTime); p.turn != nil && errors.Is(err, models.ErrLocked) && time.Now().Before(end); {
		if err := pause(ctx, takeOverPoll); err != nil {
			return nil, err
		}
		store, err = openWithKeys(ctx, p.cfg, alone)
	}
	if errors.Is(err, models.ErrLocked) {
		return nil, fmt.Errorf("%w; %s", err, oneAtATime)
	}
	return store, err
}

func openWithKeys(ctx context.Context, cfg config.Config, migrate func(context.Context, *models.Store) error) (*models.Store, error) {
	keys, err := cfg.Encryption.Load()
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, cfg, migrate)
	if err != nil {
		return nil, err
	}
	if err := store.UseKeys(ctx, keys); err != nil {
		return nil, errors.Join(wrongKeys(cfg.Encryption, err), store.Close())
	}
	return store, nil
}

// ErrNoDatabase means that database.url names a file that does not exist: most likely
// the command runs in another folder than the server.
var ErrNoDatabase = errors.New("there is no database")

// databaseExists returns ErrNoDatabase, with the path, when there is no database.
func databaseExists(cfg config.Config) error {
	if path, missing := models.MissingFile(cfg.Database.URL); missing {
		return fmt.Errorf("database.url: %w at %s; run the command where the server runs, or name its file with --config or --database.url", ErrNoDatabase, path)
	}
	return nil
}

// WithRules calls f with the rules of the CRM. A server may be running on the same
// database. It is for commands that cause no event. It returns ErrNoDatabase when there is no
// database yet: one that a command makes in the wrong folder would answer as if all were well.
func WithRules(ctx context.Context, cfg config.Config, f func(rules *crm.Service) error) error {
	if err := databaseExists(cfg); err != nil {
		return err
	}
	store, err := OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	rules := crm.New(crm.Options{
		Store: store, Live: nobody{}, Nodes: cfg.Bus.Cluster(), Log: slog.New(slog.DiscardHandler), ConfigApps: cfg.Apps,
		PublicURL: cmp.Or(cfg.Server.URL(), urlOf(cfg, cfg.Server.Address)),
	})
	return errors.Join(f(rules), store.Close())
}

// nobody is the crm.Live of commands, which serve no sockets. Nodes are told by what a
// command stores.
type nobody struct{}

var _ crm.Live = nobody{}

func (nobody) Wake()                                 {}
func (nobody) Unsubscribe(int64, ...string) error    { return errors.ErrUnsupported }
func (nobody) Disconnect(int64) error                { return errors.ErrUnsupported }
func (nobody) EndEarlierSessions(int64, int64) error { return errors.ErrUnsupported }
func (nobody) EndSession(int64, int64) error         { return errors.ErrUnsupported }
func (nobody) ExtendSession(int64, int64, time.Time) {}
func (nobody) Publish([]string, string, string)      {}

// ErrNotSQLite means that a command is for SQLite alone.
var ErrNotSQLite = errors.New("copies SQLite databases; copy PostgreSQL with pg_dump")

// Backup copies the SQLite database of cfg to a new file at path. It does not migrate the
// database: a copy is made before a new version runs. For PostgreSQL the error is
// ErrNotSQLite.
func Backup(ctx context.Context, cfg config.Config, path string) error {
	if err := databaseExists(cfg); err != nil {
		return err
	}
	store, err := models.Open(ctx, cfg.Database.URL)
	if err != nil {
		return fmt.Errorf("database.url: %w", err)
	}
	err = errors.Join(store.Backup(ctx, path), store.Close())
	if errors.Is(err, models.ErrNotSQLite) {
		return ErrNotSQLite
	}
	return err
}

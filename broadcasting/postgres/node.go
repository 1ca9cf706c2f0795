package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
)

// Options are the options of a node.
type Options struct {
	URL        string // of the database, which has the tables of this version
	Log        *slog.Logger
	CacheTTL   time.Duration // how long the last event of a cache channel is kept; 0: 30 minutes
	CacheBytes int           // limit for all those events together; 0: 64 MiB
	// Lock is the key of an advisory lock that each connected node shares, so that whoever
	// takes it alone knows that there is none; 0: none.
	Lock int64

	// For tests; 0: those of a cluster.Node.
	Lease, Beat time.Duration
}

const (
	// connectTimeout bounds a connection to a server that accepts it and says nothing.
	connectTimeout = 10 * time.Second

	sendConns = 2               // a node sends one batch at a time, and ends the connections of dead nodes
	readConns = 4               // for the last events of cache channels
	lockKept  = 0x63686174_0101 // an advisory lock: "chat" and the purpose; those of models end with smaller numbers
	sender    = "chatcast bus sender"
	reader    = "chatcast bus reader"
)

// transport implements cluster.Transport.
type transport struct {
	url    string
	lock   int64
	log    *slog.Logger
	limits *cluster.CacheLimits
	pool   *pgxpool.Pool // sends and renews
	reads  *pgxpool.Pool // the rest, which must not keep a lease waiting
	number uint64        // of the last batch; the node sends one at a time
}

var _ cluster.Transport = (*transport)(nil)

// errPooler means that notifications do not arrive.
var errPooler = errors.New("LISTEN needs a session of its own, which a connection pooler in between must keep")

// Open connects to the database and makes this process a node of the cluster. The caller
// must Close it.
func Open(ctx context.Context, o Options) (*cluster.Node, error) {
	t := &transport{url: o.URL, lock: o.Lock, log: o.Log, limits: cluster.NewCacheLimits(o.CacheTTL, o.CacheBytes)}
	var err error
	if t.pool, err = newPool(ctx, o.URL, sender, sendConns); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if t.reads, err = newPool(ctx, o.URL, reader, readConns); err != nil {
		t.pool.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	n, err := cluster.Open(ctx, cluster.Options{Log: o.Log, Limits: t.limits, Lease: o.Lease, Beat: o.Beat}, t)
	if errors.Is(err, cluster.ErrUnheard) {
		err = fmt.Errorf("%w: %w", err, errPooler)
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return n, nil
}

// newPool returns a pool of connections. The server ends a transaction that a node leaves
// alone, because it is held up or has lost its power: others wait for the locks.
func newPool(ctx context.Context, url, name string, conns int32) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns, cfg.MinConns = conns, 1
	cfg.ConnConfig.ConnectTimeout = cmp.Or(cfg.ConnConfig.ConnectTimeout, connectTimeout)
	for name, value := range map[string]string{
		"application_name": name, "synchronous_commit": "off", "idle_in_transaction_session_timeout": "2s",
		"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3",
	} {
		cfg.ConnConfig.RuntimeParams[name] = value
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

// Close implements cluster.Transport.
func (t *transport) Close() {
	t.pool.Close()
	t.reads.Close()
}

// Interest implements cluster.Transport; every node hears everything.
func (t *transport) Interest(string, string, bool) {}

// Last implements cluster.Transport.
func (t *transport) Last(ctx context.Context, app, channel string) (last broadcasting.LastEvent, err error) {
	var version, left int64
	var text string
	err = t.reads.QueryRow(ctx, `
		SELECT version, event, (extract(epoch FROM expires_at - clock_timestamp()) * 1000000)::bigint
		FROM bus_last WHERE app = $1 AND channel = $2 AND expires_at > clock_timestamp()`, app, channel).Scan(&version, &text, &left)
	if errors.Is(err, pgx.ErrNoRows) {
		return last, nil
	}
	if err != nil {
		return last, fmt.Errorf("postgres: the last event of a channel: %w", err)
	}
	var ev cluster.Event
	if err := json.Unmarshal([]byte(text), &ev); err != nil {
		return last, fmt.Errorf("postgres: the last event of a channel: %w", err)
	}
	return broadcasting.LastEvent{Event: ev.Engine(), Version: uint64(version), TTL: max(time.Duration(left)*time.Microsecond, time.Microsecond)}, nil
}

// RemoveApp implements cluster.Transport.
func (t *transport) RemoveApp(ctx context.Context, app string) error {
	err := pgx.BeginFunc(ctx, t.reads, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockKept)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM bus_last WHERE app = $1", app)
		return err
	})
	if err != nil {
		return fmt.Errorf("postgres: remove the events of an app: %w", err)
	}
	return nil
}

// Sweep implements cluster.Transport.
func (t *transport) Sweep(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, t.reads, func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", int64(lockKept)).Scan(&mine); err != nil || !mine {
			return err // another node sweeps or publishes
		}
		if _, err := tx.Exec(ctx, "DELETE FROM bus_last WHERE expires_at <= clock_timestamp()"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			DELETE FROM bus_last WHERE version <= COALESCE((
				SELECT MAX(version) FROM (SELECT version, SUM(size) OVER (ORDER BY version DESC) AS total FROM bus_last) AS sizes WHERE total > $1), 0)`,
			t.limits.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

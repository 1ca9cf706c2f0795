package postgres

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Keys of advisory locks: "chat" and the purpose. Those of models end with smaller
// numbers.
const lockKept = 0x63686174_0101

// keep gives the events versions and makes them the last ones of their channels. One
// transaction of the cluster does this at a time, so the versions are in the order of the
// commits.
func (n *Node) keep(ctx context.Context, tx pgx.Tx, kept []*outgoing) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockKept)); err != nil {
		return err
	}
	// The clock is for a database that lost the end of its log in a crash.
	var top int64
	err := tx.QueryRow(ctx, `SELECT setval('bus_version', GREATEST(nextval('bus_version'), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) + $1)`, len(kept)).Scan(&top)
	if err != nil {
		return err
	}
	last := map[[2]string]*outgoing{}
	for i, out := range kept {
		out.Version = uint64(top) - uint64(len(kept)) + uint64(i) + 1
		last[[2]string{out.Event.App, out.Event.Channel}] = out
	}
	limit, ttl := n.cacheBytes.Load(), time.Duration(n.cacheTTL.Load())
	var changes pgx.Batch
	for _, out := range last {
		ev := *out.Event
		ev.Except, ev.Published = "", 0
		size := cachedOverhead + len(ev.App) + len(ev.Channel) + len(ev.Name) + len(ev.Data)
		if int64(size) > limit { // the one before is no longer the last either
			changes.Queue("DELETE FROM bus_last WHERE app = $1 AND channel = $2", ev.App, ev.Channel)
			continue
		}
		text, err := json.Marshal(ev)
		if err != nil {
			return err
		}
		changes.Queue(`
			INSERT INTO bus_last (app, channel, version, event, size, expires_at)
			VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 microsecond')
			ON CONFLICT (app, channel) DO UPDATE
			SET version = EXCLUDED.version, event = EXCLUDED.event, size = EXCLUDED.size, expires_at = EXCLUDED.expires_at`,
			ev.App, ev.Channel, int64(out.Version), string(text), size, ttl.Microseconds())
	}
	return tx.SendBatch(ctx, &changes).Close()
}

// cachedOverhead is roughly the space of a kept event besides its texts.
const cachedOverhead = 256

// prepareOrders sets who has to answer, and numbers the orders that take access away. The
// numbers must survive whatever happens to the database.
func prepareOrders(ctx context.Context, tx pgx.Tx, id string, orders []*outgoing) error {
	counts := func(out *outgoing) bool { return out.Order.Kind.TakesAway() }
	if slices.ContainsFunc(orders, counts) {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on"); err != nil {
			return err
		}
	}
	for _, out := range orders {
		if counts(out) {
			if err := tx.QueryRow(ctx, "UPDATE bus_state SET orders = orders + 1 WHERE id = 1 RETURNING orders").Scan(&out.Number); err != nil {
				return err
			}
		}
	}
	now, nodes, err := others(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, out := range orders {
		out.nodes = nodes
		if out.within > 0 {
			out.Until = now.Add(out.within).UnixMicro()
		}
	}
	return nil
}

// others returns the other nodes, and the time by the clock of the database.
func others(ctx context.Context, tx pgx.Tx, id string) (now time.Time, nodes []string, err error) {
	err = tx.QueryRow(ctx, "SELECT clock_timestamp(), COALESCE((SELECT array_agg(id) FROM bus_nodes WHERE id <> $1), '{}')", id).Scan(&now, &nodes)
	return now, nodes, err
}

package postgres

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatcast/broadcasting/cluster"
)

// Send implements cluster.Transport. Most batches have only messages, which is one
// statement.
func (t *transport) Send(ctx context.Context, id string, batch []*cluster.Outgoing) error {
	var kept, orders []*cluster.Outgoing
	for _, out := range batch {
		if out.Kept {
			kept = append(kept, out)
		}
		if out.Kind == cluster.KindOrder || out.TakesAway() {
			orders = append(orders, out)
		}
	}
	if len(kept) == 0 && len(orders) == 0 {
		return t.notifyAll(ctx, t.pool, id, batch)
	}
	return pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		if len(orders) > 0 {
			if err := prepareOrders(ctx, tx, id, orders); err != nil {
				return err
			}
		}
		if len(kept) > 0 {
			if err := t.keep(ctx, tx, kept); err != nil {
				return err
			}
		}
		return t.notifyAll(ctx, tx, id, batch)
	})
}

// execer is a transaction, or a pool that makes one of each statement.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// notifyAll sends the messages as notifications.
func (t *transport) notifyAll(ctx context.Context, db execer, id string, batch []*cluster.Outgoing) error {
	list := make([]cluster.Message, len(batch))
	for i, out := range batch {
		list[i] = out.Message
	}
	return t.notifyMessages(ctx, db, id, list)
}

func (t *transport) notifyMessages(ctx context.Context, db execer, id string, list []cluster.Message) error {
	t.number++
	parts, err := payloads(id, t.number, list)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, "SELECT pg_notify('"+topic+"', p) FROM unnest($1::text[]) WITH ORDINALITY AS t (p, i) ORDER BY i", parts)
	return err
}

// keep gives the events versions and makes them the last ones of their channels. One
// transaction of the cluster does this at a time, so the versions are in the order of the
// commits.
func (t *transport) keep(ctx context.Context, tx pgx.Tx, kept []*cluster.Outgoing) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockKept)); err != nil {
		return err
	}
	// The clock is for a database that lost the end of its log in a crash.
	var top int64
	err := tx.QueryRow(ctx, `SELECT setval('bus_version', GREATEST(nextval('bus_version'), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) + $1)`, len(kept)).Scan(&top)
	if err != nil {
		return err
	}
	last := map[[2]string]*cluster.Outgoing{}
	for i, out := range kept {
		out.Version = uint64(top) - uint64(len(kept)) + uint64(i) + 1
		last[[2]string{out.Event.App, out.Event.Channel}] = out
	}
	limit, ttl := t.limits.Bytes(), t.limits.TTL()
	var changes pgx.Batch
	for _, out := range last {
		ev := *out.Event
		ev.Except, ev.Published = "", 0
		size := cluster.KeptSize(ev.Engine())
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

// prepareOrders sets who has to answer, and numbers the orders that take access away. The
// numbers must survive whatever happens to the database.
func prepareOrders(ctx context.Context, tx pgx.Tx, id string, orders []*cluster.Outgoing) error {
	if slices.ContainsFunc(orders, (*cluster.Outgoing).TakesAway) {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on"); err != nil {
			return err
		}
	}
	for _, out := range orders {
		if out.TakesAway() {
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
		out.Nodes = nodes
		if out.Within > 0 {
			out.Until = now.Add(out.Within).UnixMicro()
		}
	}
	return nil
}

package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
)

// Join implements cluster.Transport.
func (t *transport) Join(ctx context.Context, l cluster.Link, j cluster.Joining, list []cluster.Message) (m cluster.Members, err error) {
	pid := int64(l.(*link).conn.PgConn().PID())
	err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		// A row that a crash of the database takes back would make the others forget the node.
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM bus_nodes WHERE id = $1", j.Before)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO bus_nodes (id, pid, started_at, expires_at)
			SELECT $1, $2::bigint, COALESCE((SELECT backend_start FROM pg_stat_activity WHERE pid = $2::bigint), clock_timestamp()),
				clock_timestamp() + $3 * interval '1 microsecond'`, j.ID, pid, j.Lease.Microseconds())
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT orders FROM bus_state WHERE id = 1").Scan(&m.Orders); err != nil {
			return err
		}
		if m.Now, m.Others, err = others(ctx, tx, j.ID); err != nil {
			return err
		}
		return t.notifyMessages(ctx, tx, j.ID, list)
	})
	if err != nil {
		return m, fmt.Errorf("postgres: %w", err)
	}
	return m, nil
}

// Leave implements cluster.Transport.
func (t *transport) Leave(ctx context.Context, id string) error {
	err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM bus_nodes WHERE id = $1", id); err != nil {
			return err
		}
		return t.notifyMessages(ctx, tx, id, []cluster.Message{{Kind: cluster.KindBye}})
	})
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// deadNode is a node that was buried, and the backend that listened for it.
type deadNode struct {
	id      string
	pid     int64
	started time.Time
}

// Renew implements cluster.Transport.
func (t *transport) Renew(ctx context.Context, r cluster.Renewal) (m cluster.Members, dead []string, err error) {
	var buried []deadNode
	err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE bus_nodes SET expires_at = clock_timestamp() + $2 * interval '1 microsecond' WHERE id = $1", r.ID, r.Lease.Microseconds())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return cluster.ErrBuried
		}
		list := []cluster.Message{r.Probe}
		if r.Bury {
			if buried, err = bury(ctx, tx, r); err != nil {
				return err
			}
			for _, d := range buried {
				list = append(list, cluster.Message{Kind: cluster.KindDead, Node: d.id})
			}
		}
		if m.Now, m.Others, err = others(ctx, tx, r.ID); err != nil {
			return err
		}
		return t.notifyMessages(ctx, tx, r.ID, list)
	})
	if err != nil {
		return m, nil, fmt.Errorf("postgres: %w", err)
	}
	for _, d := range buried {
		dead = append(dead, d.id)
		t.endListener(ctx, d)
	}
	return m, dead, nil
}

// bury deletes the rows that are over. One that is locked is left for the next time: its node
// may be renewing it, or be held up in the middle of that. After the clock has jumped nobody is
// buried: the others must have the time to renew their leases by the new one.
func bury(ctx context.Context, tx pgx.Tx, r cluster.Renewal) (dead []deadNode, err error) {
	rows, err := tx.Query(ctx, `
		DELETE FROM bus_nodes WHERE id IN (
			SELECT id FROM bus_nodes WHERE id <> $1 AND expires_at < clock_timestamp()
				AND clock_timestamp() < $2::timestamptz + $3 * interval '1 microsecond' FOR UPDATE SKIP LOCKED)
		RETURNING id, pid, started_at`, r.ID, r.Now, (r.Lease / broadcasting.LeaseJump).Microseconds())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d deadNode, err error) {
		return d, row.Scan(&d.id, &d.pid, &d.started)
	})
}

// endListener ends the backend that listens for a dead node: what it does not read would
// stay in the queue of the notifications, for everyone.
func (t *transport) endListener(ctx context.Context, d deadNode) {
	_, err := t.pool.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND application_name = $3", d.pid, d.started, listenerName)
	if err != nil {
		t.log.WarnContext(ctx, "the connection of a dead node could not be ended", "node", d.id, "error", err)
	}
}

// others returns the other nodes, and the time by the clock of the database.
func others(ctx context.Context, tx pgx.Tx, id string) (now time.Time, nodes []string, err error) {
	err = tx.QueryRow(ctx, "SELECT clock_timestamp(), COALESCE((SELECT array_agg(id) FROM bus_nodes WHERE id <> $1), '{}')", id).Scan(&now, &nodes)
	return now, nodes, err
}

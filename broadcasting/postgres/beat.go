package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Errors with which a node gives up its connection, to join again.
var (
	errBuried = errors.New("this node was taken for dead: its lease was over")
	errDeaf   = errors.New("this node does not hear its own messages")
)

// deafAfter is how many beats a node may miss its own messages.
const deafAfter = 3

// setClock notes the time by the clock of the database.
func (n *Node) setClock(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dbTime, n.dbTimeAt = now, time.Now()
}

// dbNow returns the time by the clock of the database.
func (n *Node) dbNow() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dbTime.Add(time.Since(n.dbTimeAt))
}

// beatOnce renews the row, says that this node hears, and buries nodes that are over. It
// calls lose when the node has to join again.
func (n *Node) beatOnce(ctx context.Context, lose context.CancelCauseFunc) {
	n.mu.Lock()
	deaf := time.Since(n.heard) > deafAfter*n.o.Beat+n.o.Beat/2
	full := len(n.queue) > maxQueued
	resend := n.resend
	n.resend = false
	n.mu.Unlock()
	if deaf {
		lose(errDeaf)
		return
	}
	if full {
		lose(errors.New("too much waits to be sent"))
		return
	}
	if resend {
		n.queueState("")
	}
	limited, cancel := context.WithTimeout(ctx, deafAfter*n.o.Beat)
	defer cancel()
	select {
	case n.turn <- struct{}{}:
	case <-limited.Done():
		return
	}
	dead, err := n.renew(limited)
	<-n.turn
	switch {
	case errors.Is(err, errBuried):
		lose(err)
	case err != nil && ctx.Err() == nil:
		n.o.Log.WarnContext(ctx, "the lease of this node was not renewed, and will be tried again", "error", err)
	}
	for _, d := range dead {
		n.o.Log.WarnContext(ctx, "a node is dead: its lease was over", "node", d.id)
		n.endListener(limited, d)
	}
	if err == nil {
		n.sweep(limited)
	}
}

// deadNode is a node that was buried, and the backend that listened for it.
type deadNode struct {
	id      string
	pid     int64
	started time.Time
}

// renew renews the row of this node in a transaction; needs turn.
func (n *Node) renew(ctx context.Context) (dead []deadNode, err error) {
	id := n.name()
	var now time.Time
	var nodes []string
	err = pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) error {
		dead = nil
		tag, err := tx.Exec(ctx, "UPDATE bus_nodes SET expires_at = clock_timestamp() + $2 * interval '1 microsecond' WHERE id = $1", id, n.o.Lease.Microseconds())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errBuried
		}
		list := []message{{Kind: kindProbe}}
		if n.mayBury() {
			if dead, err = bury(ctx, tx, id); err != nil {
				return err
			}
			for _, d := range dead {
				list = append(list, message{Kind: kindDead, Node: d.id})
			}
		}
		if now, nodes, err = others(ctx, tx, id); err != nil {
			return err
		}
		return n.notifyMessages(ctx, tx, id, list)
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	n.setClock(now)
	n.renewed(nodes, len(dead))
	return dead, nil
}

// mayBury reports whether this node has renewed its own row in time for as long as a
// lease lasts. After a time in which the database did not answer, all rows are over, and
// each node must have had the time to renew its own.
func (n *Node) mayBury() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	return now.Sub(n.beaten) < 2*n.o.Beat+n.o.Beat/2 && now.Sub(n.steady) >= n.o.Lease
}

func (n *Node) renewed(nodes []string, buried int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if now.Sub(n.beaten) >= 2*n.o.Beat+n.o.Beat/2 {
		n.steady = now
	}
	n.beaten = now
	n.stats.Buried += uint64(buried)
	for _, node := range nodes {
		n.peer(node)
	}
	for node, at := range n.gone {
		if now.Sub(at) > goneTime {
			delete(n.gone, node)
		}
	}
}

// goneTime is how long the name of a node that has gone is remembered, so that what is
// still heard of it is ignored.
const goneTime = 10 * time.Minute

// bury deletes the rows that are over.
func bury(ctx context.Context, tx pgx.Tx, id string) (dead []deadNode, err error) {
	rows, err := tx.Query(ctx, "DELETE FROM bus_nodes WHERE id <> $1 AND expires_at < clock_timestamp() RETURNING id, pid, started_at", id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d deadNode, err error) {
		return d, row.Scan(&d.id, &d.pid, &d.started)
	})
}

// endListener ends the backend that listens for a dead node: what it does not read would
// stay in the queue of the notifications, for everyone.
func (n *Node) endListener(ctx context.Context, d deadNode) {
	_, err := n.pool.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND application_name = $3", d.pid, d.started, listenerName)
	if err != nil {
		n.o.Log.WarnContext(ctx, "the connection of a dead node could not be ended", "node", d.id, "error", err)
	}
}

// sweepEvery is how many beats pass between two looks at the kept events.
const sweepEvery = 10

// sweep removes expired events, and the oldest beyond the limit, now and then.
func (n *Node) sweep(ctx context.Context) {
	if n.swept++; n.swept%sweepEvery != 0 {
		return
	}
	err := pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) error {
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
			n.cacheBytes.Load())
		return err
	})
	if err != nil && ctx.Err() == nil {
		n.o.Log.WarnContext(ctx, "the events of cache channels could not be swept", "error", err)
	}
}

// cutOffNow has the sockets of this node disconnected.
func (n *Node) cutOffNow(ctx context.Context, why string) {
	n.mu.Lock()
	n.stats.CutOffs++
	n.mu.Unlock()
	n.o.Log.WarnContext(ctx, "this node may have missed orders that end an access: its sockets are disconnected", "reason", why)
	n.cutOff()
}

// hears returns nil when this node hears what is sent; needs mu.
func (n *Node) hears() error {
	switch {
	case n.ended:
		return nil
	case !n.up:
		return fmt.Errorf("%w: %w", ErrAway, n.why)
	case time.Since(n.heard) > deafAfter*n.o.Beat:
		return fmt.Errorf("%w: %w", ErrAway, errDeaf)
	}
	return nil
}

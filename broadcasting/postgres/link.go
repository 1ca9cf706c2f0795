package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// link is the connection that listens. It has one name in the cluster.
type link struct {
	conn  *pgx.Conn
	parts assembler
}

func (l *link) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // the server notices in any case
}

// self is the name of this node in the view of its own reports.
const self = "self"

// listen opens a connection that listens.
func (n *Node) listen(ctx context.Context) (*link, error) {
	cfg, err := pgx.ParseConfig(n.o.URL)
	if err != nil {
		return nil, err
	}
	// The server must notice soon that a node has lost its power.
	for name, value := range map[string]string{
		"application_name": listenerName, "tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3",
	} {
		cfg.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn}
	if _, err = conn.Exec(ctx, "LISTEN "+topic); err == nil && n.o.Lock != 0 {
		shared := false
		err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock_shared($1)", n.o.Lock).Scan(&shared)
		if err == nil && !shared {
			err = errAlone
		}
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// errAlone means that Options.Lock is held.
var errAlone = errors.New("another program has the database for itself")

const listenerName = "chatcast bus"

// join connects this node under a new name, which replaces the one that it had: first it
// listens, then it has a row, so whoever is in the table hears what is sent from then on.
func (n *Node) join(ctx context.Context) (*link, error) {
	l, err := n.listen(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		l.close()
		return nil, ctx.Err()
	}
	defer func() { <-n.turn }()
	n.mu.Lock()
	before, first := n.id, n.id == ""
	n.names++
	id := n.base + "." + strconv.Itoa(n.names)
	list := append([]message{{Kind: kindHello}}, n.state("")...)
	n.up, n.why, n.resend = true, nil, false // reports from here on follow the state
	n.mu.Unlock()
	orders, others, err := n.enter(ctx, l, id, before, list)
	if err != nil {
		n.down(err)
		l.close()
		return nil, err
	}
	n.entered(id, before, others)
	n.mu.Lock()
	missed := !first && orders != n.orders
	n.orders = max(orders, n.orders)
	n.mu.Unlock()
	if missed {
		n.cutOffNow(ctx, "orders were given while this node was cut off")
	}
	return l, nil
}

// enter writes the row of the node and says hello; needs turn.
func (n *Node) enter(ctx context.Context, l *link, id, before string, list []message) (orders int64, nodes []string, err error) {
	err = pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) error {
		// A row that a crash of the database takes back would make the others forget the node.
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM bus_nodes WHERE id = $1", before)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO bus_nodes (id, pid, started_at, expires_at)
			SELECT $1, $2::bigint, COALESCE((SELECT backend_start FROM pg_stat_activity WHERE pid = $2::bigint), clock_timestamp()),
				clock_timestamp() + $3 * interval '1 microsecond'`, id, int64(l.conn.PgConn().PID()), n.o.Lease.Microseconds())
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT orders FROM bus_state WHERE id = 1").Scan(&orders); err != nil {
			return err
		}
		var now time.Time
		if now, nodes, err = others(ctx, tx, id); err != nil {
			return err
		}
		n.setClock(now)
		return n.notifyMessages(ctx, tx, id, list)
	})
	return orders, nodes, err
}

// entered notes who is in the cluster, and forgets who no longer is.
func (n *Node) entered(id, before string, others []string) {
	now := time.Now()
	n.mu.Lock()
	if before != "" {
		n.gone[before] = now
		n.stats.Joins++
	}
	n.id, n.heard, n.beaten, n.steady = id, now, now, now
	there := map[string]bool{}
	for _, node := range others {
		there[baseOf(node)] = true
		n.peer(node)
	}
	var lost []string
	for node := range n.nodes {
		if !there[baseOf(node)] { // one that has joined again replaces itself
			lost = append(lost, node)
		}
	}
	n.mu.Unlock()
	for _, node := range lost {
		n.forget(node)
	}
}

// rejoin joins again until it succeeds. It returns nil when ctx ends.
func (n *Node) rejoin(ctx context.Context) *link {
	wait := 50 * time.Millisecond
	for {
		limited, cancel := context.WithTimeout(ctx, openTime)
		l, err := n.join(limited)
		cancel()
		if err == nil {
			return l
		}
		n.o.Log.DebugContext(ctx, "the bus between the nodes is still away", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// errPooler means that notifications do not arrive.
var errPooler = errors.New("the node does not hear its own notifications: LISTEN needs a session of its own, which a connection pooler in between must keep")

// hearsItself waits for the hello of this node. Messages of others that come before are
// for a node that is not attached yet, and none of them is an order to its sockets.
func (n *Node) hearsItself(ctx context.Context) error {
	for {
		note, err := n.link.conn.WaitForNotification(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return errPooler
			}
			return err
		}
		from, list, err := n.link.parts.add(note.Payload)
		if err != nil {
			continue
		}
		for _, m := range list {
			n.early = append(n.early, heardMessage{from, m})
		}
		if from == n.id {
			return nil
		}
	}
}

// heardMessage is a message with its sender.
type heardMessage struct {
	from string
	message
}

// leave deletes the row of this node and says so, and ends the connection.
func (n *Node) leave(ctx context.Context, l *link) {
	n.mu.Lock()
	n.ended, n.up = true, false
	id := n.id
	n.tellChanged()
	n.mu.Unlock()
	if l != nil {
		defer l.close()
	}
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-n.turn }()
	err := pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM bus_nodes WHERE id = $1", id); err != nil {
			return err
		}
		return n.notifyMessages(ctx, tx, id, []message{{Kind: kindBye}})
	})
	if err != nil {
		n.o.Log.WarnContext(ctx, "the other nodes were not told that this one ends, and will see it in seconds", "error", fmt.Errorf("postgres: %w", err))
	}
}

package postgres

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting/cluster"
)

// link is the connection that listens.
type link struct {
	t     *transport
	conn  *pgx.Conn
	parts assembler
}

const listenerName = "chatcast bus"

// Listen implements cluster.Transport.
func (t *transport) Listen(ctx context.Context) (cluster.Link, error) {
	cfg, err := pgx.ParseConfig(t.url)
	if err != nil {
		return nil, err
	}
	// The server must notice soon that a node has lost its power.
	for name, value := range map[string]string{
		"application_name": listenerName, "tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3",
	} {
		cfg.RuntimeParams[name] = value
	}
	cfg.ConnectTimeout = cmp.Or(cfg.ConnectTimeout, connectTimeout)
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	t.reads.Reset() // those before may be of a database that has ended
	l := &link{t: t, conn: conn}
	if _, err = conn.Exec(ctx, "LISTEN "+topic); err == nil && t.lock != 0 {
		shared := false
		err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock_shared($1)", t.lock).Scan(&shared)
		if err == nil && !shared {
			err = errAlone
		}
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// errAlone means that Options.Lock is held.
var errAlone = errors.New("another program has the database for itself")

// Close implements cluster.Link.
func (l *link) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // the server notices in any case
}

// Receive implements cluster.Link.
func (l *link) Receive(ctx context.Context) ([]cluster.Heard, error) {
	for {
		note, err := l.conn.WaitForNotification(ctx)
		if err != nil {
			return nil, err
		}
		from, list, err := l.parts.add(note.Payload)
		if err != nil {
			l.t.log.DebugContext(ctx, "the bus brought what is not a message", "error", err)
			continue
		}
		if len(list) == 0 {
			continue // more parts follow
		}
		heard := make([]cluster.Heard, len(list))
		for i, m := range list {
			heard[i] = cluster.Heard{From: from, Message: m}
		}
		return heard, nil
	}
}

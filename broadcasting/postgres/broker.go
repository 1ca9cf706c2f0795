package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting"
)

// broker implements broadcasting.Broker.
type broker struct {
	node    *Node
	deliver func(ev broadcasting.Event, version uint64)
}

var _ broadcasting.Broker = (*broker)(nil)

// Attach implements broadcasting.Broker.
func (b *broker) Attach(deliver func(ev broadcasting.Event, version uint64)) { b.deliver = deliver }

// Run implements broadcasting.Broker.
func (b *broker) Run(ctx context.Context) error { return b.node.run(ctx) }

// Publish implements broadcasting.Broker. When it returns nil, the event is committed.
func (b *broker) Publish(ctx context.Context, ev broadcasting.Event) error {
	out := newOutgoing(message{Kind: kindEvent, Event: wireEvent(ev)})
	out.kept = ev.Kept()
	return b.node.send(ctx, out)
}

// give delivers an event that was heard.
func (b *broker) give(m message) {
	if b.deliver != nil {
		b.deliver(m.Event.engine(), m.Version)
	}
}

// Last implements broadcasting.Broker.
func (b *broker) Last(ctx context.Context, app, channel string) (last broadcasting.LastEvent, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	var version, left int64
	var text string
	err = b.node.pool.QueryRow(ctx, `
		SELECT version, event, (extract(epoch FROM expires_at - clock_timestamp()) * 1000000)::bigint
		FROM bus_last WHERE app = $1 AND channel = $2 AND expires_at > clock_timestamp()`, app, channel).Scan(&version, &text, &left)
	if errors.Is(err, pgx.ErrNoRows) {
		return last, nil
	}
	if err != nil {
		return last, fmt.Errorf("postgres: the last event of a channel: %w", err)
	}
	var ev event
	if err := json.Unmarshal([]byte(text), &ev); err != nil {
		return last, fmt.Errorf("postgres: the last event of a channel: %w", err)
	}
	return broadcasting.LastEvent{Event: ev.engine(), Version: uint64(version), TTL: max(time.Duration(left)*time.Microsecond, time.Microsecond)}, nil
}

// Interest implements broadcasting.Broker; every node hears everything.
func (b *broker) Interest(string, string, bool) {}

// RemoveApp implements broadcasting.Broker.
func (b *broker) RemoveApp(ctx context.Context, app string) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err := pgx.BeginFunc(ctx, b.node.pool, func(tx pgx.Tx) error {
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

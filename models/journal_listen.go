package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	standbyPoll = time.Second     // how often a waiting node tries to become the leader
	leaderPing  = 5 * time.Second // how often the leader checks its connection
	closeWait   = time.Second     // how long closing a connection may take
	relayName   = "chatcast relay"
)

// leaderSilence is how long the leader may be silent, which checks its connection more often.
// Its process is held up then, and would hold the lock as long as that lasts.
var leaderSilence = 4 * leaderPing

// JournalHeard holds the functions that are called on PostgreSQL's notifications about
// the journal, and once when the listening begins, for what was missed. They must not
// block.
type JournalHeard struct {
	Appended  func() // an entry was committed, on a node that has told it with NotifyAppended
	Published func() // entries were handed to the bus, by any node
	AppEvents func() // events of apps were committed, on any node; may be nil
}

// LeadJournal makes this node listen, waits until no other node leads, and then runs
// lead once. It returns when lead has returned. When ctx ends, the waiting ends. lead
// must watch ctx itself: its context held does not end with ctx, but only when the
// leadership is lost, and then lead must stop at once.
//
// On PostgreSQL one connection listens and holds the session's advisory lock. When the
// node or the connection dies, the server gives the lock to the next node. A waiting node ends
// the connection of a leader that is silent, because its process is held up. A connection
// pooler in between must keep sessions. On SQLite the process is the only node.
func (s *Store) LeadJournal(ctx context.Context, heard JournalHeard, lead func(held context.Context) error) error {
	if heard.AppEvents == nil {
		heard.AppEvents = func() {}
	}
	if !s.postgres {
		heard.Appended()
		heard.Published()
		return lead(context.WithoutCancel(ctx))
	}
	conn, err := s.listen(ctx, heard)
	if err != nil {
		return fmt.Errorf("models: listen: %w", err)
	}
	defer closeListener(ctx, conn)
	if err := waitForLead(ctx, conn); err != nil {
		return fmt.Errorf("models: journal leadership: %w", err)
	}
	return holdLead(ctx, conn, lead)
}

// listen opens the connection and begins to listen on it.
func (s *Store) listen(ctx context.Context, heard JournalHeard) (*pgx.Conn, error) {
	conn, err := s.listener(ctx, relayName, func(n *pgconn.Notification) {
		switch n.Channel {
		case notifyAppended:
			heard.Appended()
		case notifyPublished:
			heard.Published()
		case notifyAppEvents:
			heard.AppEvents()
		}
	}, notifyAppended, notifyPublished, notifyAppEvents)
	if err != nil {
		return nil, err
	}
	heard.Appended()
	heard.Published()
	heard.AppEvents()
	return conn, nil
}

// listener opens a connection of its own that listens on channels. name is shown to the
// administrator of the database.
func (s *Store) listener(ctx context.Context, name string, heard func(*pgconn.Notification), channels ...string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(s.url)
	if err != nil {
		return nil, err
	}
	// A node that lost its power cannot close its connection: the server must notice in
	// 25 seconds, not in two hours.
	for name, value := range map[string]string{
		"application_name": name, "tcp_keepalives_idle": "10",
		"tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
	} {
		cfg.RuntimeParams[name] = value
	}
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { heard(n) }
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	for _, channel := range channels {
		if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
			closeListener(ctx, conn)
			return nil, err
		}
	}
	return conn, nil
}

func closeListener(ctx context.Context, conn *pgx.Conn) {
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
	defer cancel()
	conn.Close(bye)
}

// waitForLead returns nil when conn holds the lock of the relay.
func waitForLead(ctx context.Context, conn *pgx.Conn) error {
	for {
		var won bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(lockRelay)).Scan(&won); err != nil || won {
			return err
		}
		if _, err := conn.Exec(ctx, endSilentLeader, int64(lockRelay), relayName, leaderSilence.Milliseconds()); err != nil {
			return err
		}
		if err := hear(ctx, conn, standbyPoll); err != nil {
			return err
		}
	}
}

// endSilentLeader ends the connection of a leader that is silent. The keepalives of TCP do not
// see it: the system answers them for a process that is held up.
const endSilentLeader = `
	SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
	WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid::bigint << 32 | l.objid::bigint = $1
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND a.application_name = $2 AND a.state = 'idle' AND a.state_change < clock_timestamp() - $3 * interval '1 millisecond'`

// holdLead runs lead while conn lives, and listens on conn meanwhile.
func holdLead(ctx context.Context, conn *pgx.Conn, lead func(held context.Context) error) error {
	held, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	defer lose(nil)
	ears, deafen := context.WithCancel(held)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		if err := listenOn(ears, conn); ears.Err() == nil {
			lose(fmt.Errorf("models: journal leadership lost: %w", err))
		}
	}()
	err := lead(held)
	deafen()
	<-heard
	if err == nil && held.Err() != nil {
		err = context.Cause(held)
	}
	return err
}

// listenOn receives notifications until the connection breaks or ctx ends.
func listenOn(ctx context.Context, conn *pgx.Conn) error {
	for {
		if err := hear(ctx, conn, leaderPing); err != nil {
			return err
		}
		ping, cancel := context.WithTimeout(ctx, leaderPing)
		err := conn.Ping(ping)
		cancel()
		if err != nil {
			return err
		}
	}
}

// hear receives notifications for the duration of wait. pgx passes them to
// OnNotification. The connection stays usable when the wait runs out.
func hear(ctx context.Context, conn *pgx.Conn, wait time.Duration) error {
	timed, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		err := conn.PgConn().WaitForNotification(timed)
		if err == nil {
			continue
		}
		if ctx.Err() == nil && errors.Is(timed.Err(), context.DeadlineExceeded) && !conn.IsClosed() {
			return nil
		}
		return err
	}
}

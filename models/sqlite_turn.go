package models

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// writeTurn is whose turn it is to write to an SQLite file, of all pools of this process.
// SQLite has one writer. Whoever finds it busy sleeps and tries again, up to 100 ms at a
// time and in no order, so that a pool that writes often can keep another out for half a
// second. Here writers wait in Go, and go on in the order they came as soon as they can.
type writeTurn struct {
	taken   chan struct{} // holds one while somebody writes
	waiting atomic.Int64  // how many wait
}

// turnPatience is how long a writer waits for its turn. Then it tries all the same, as if
// the writer that it waits for were of another process. It is for code that holds a
// transaction of one pool and waits for one of the other, which fails then.
const turnPatience = 10 * time.Second

func newWriteTurn() *writeTurn { return &writeTurn{taken: make(chan struct{}, 1)} }

// take waits for the turn, and returns what ends it.
func (t *writeTurn) take(ctx context.Context) (end func(), err error) {
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	patience := time.NewTimer(turnPatience)
	defer patience.Stop()
	select {
	case t.taken <- struct{}{}:
		return func() { <-t.taken }, nil
	case <-patience.C:
		return func() {}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sqliteConn is what the driver's connections can do, as far as we use it.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// turnConnector makes connections that keep their statements, and write in turn: each
// transaction, and each statement outside of one. Queries, and what is prepared, do not wait.
type turnConnector struct {
	driver driver.Driver
	dsn    string
	turn   *writeTurn // nil: it only reads
}

func (c turnConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("models: the SQLite driver cannot do what we need"), conn.Close())
	}
	inner = &keepingConn{sqliteConn: inner}
	if c.turn == nil {
		return inner, nil
	}
	return &turnConn{sqliteConn: inner, turn: c.turn}, nil
}

func (c turnConnector) Driver() driver.Driver { return c.driver }

// inTurn returns a pool like db, of such connections.
func inTurn(db *sql.DB, dsn string, turn *writeTurn) (*sql.DB, error) {
	pool := sql.OpenDB(turnConnector{db.Driver(), dsn, turn})
	return pool, db.Close()
}

// turnConn is a connection. database/sql uses it from one goroutine at a time.
type turnConn struct {
	sqliteConn
	turn   *writeTurn
	inside bool // a transaction is open
}

func (c *turnConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	end, err := c.turn.take(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := c.sqliteConn.BeginTx(ctx, opts)
	if err != nil {
		end()
		return nil, err
	}
	c.inside = true
	return &turnTx{tx, c, end}, nil
}

func (c *turnConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.inside || strings.HasPrefix(query, "VACUUM INTO") { // which reads for minutes
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	end, err := c.turn.take(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.sqliteConn.ExecContext(ctx, query, args)
}

type turnTx struct {
	driver.Tx
	conn *turnConn
	end  func()
}

func (t *turnTx) Commit() error {
	defer t.over()
	return t.Tx.Commit()
}

func (t *turnTx) Rollback() error {
	defer t.over()
	return t.Tx.Rollback()
}

func (t *turnTx) over() {
	t.conn.inside = false
	t.end()
}

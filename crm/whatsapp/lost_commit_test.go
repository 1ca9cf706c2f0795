package whatsapp

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"sync/atomic"
	"testing"
)

// lossy is a SQLite whose answer to a commit is lost once armed: what the transaction
// wrote is there, and the program is told that it failed.
type lossy struct {
	real  driver.Driver
	name  string
	armed atomic.Bool // for the next transaction that stores a decrypted message
}

func (l *lossy) Driver() driver.Driver { return l.real }

func (l *lossy) Connect(context.Context) (driver.Conn, error) {
	c, err := l.real.Open(l.name)
	if err != nil {
		return nil, err
	}
	return &lossyConn{Conn: c, real: c.(realConn), from: l}, nil
}

type realConn interface {
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// lossyConn is used by one goroutine at a time.
type lossyConn struct {
	driver.Conn
	real realConn
	from *lossy
	lose bool // the answer to the commit of this transaction
}

func (c *lossyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.lose = false
	tx, err := c.real.BeginTx(ctx, opts)
	return lossyTx{tx, c}, err
}

func (c *lossyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.real.PrepareContext(ctx, query)
}

func (c *lossyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.real.QueryContext(ctx, query, args)
}

func (c *lossyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if strings.Contains(query, "INSERT INTO whatsmeow_event_buffer") && c.from.armed.CompareAndSwap(true, false) {
		c.lose = true
	}
	return c.real.ExecContext(ctx, query, args)
}

type lossyTx struct {
	driver.Tx
	c *lossyConn
}

func (tx lossyTx) Commit() error {
	err := tx.Tx.Commit()
	if tx.c.lose && err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// TestLostCommit checks that a message is kept whose decryption was committed although the
// database seemed to fail.
func TestLostCommit(t *testing.T) {
	var db *lossy
	var lost *sql.DB
	w := newWorld(t)
	w.stop()
	w.start(t, func(o *Options) {
		db = &lossy{real: o.DB.Driver(), name: "file:" + w.db + "?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)" +
			"&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"}
		o.DB.Close()
		o.DB = sql.OpenDB(db)
		lost = o.DB
	})
	stop := w.stop
	w.stop = func() { stop(); lost.Close() }
	w.pair(t)
	w.anna.SendText(w.shop, "hello")
	w.awaitText(t, "hello")
	for _, text := range []string{"lost at the commit", "lost again"} {
		db.armed.Store(true)
		w.anna.SendText(w.shop, text)
		w.awaitText(t, text)
		if db.armed.Load() {
			t.Error("no commit was lost")
		}
	}
	if n := w.anna.Retried(); n > 0 {
		t.Errorf("we asked %d times for a message again", n)
	}
	w.sound(t)
}

package models

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
)

// Bounds of the statements that a connection to SQLite keeps.
const (
	statementsKept = 256
	statementBytes = 4 << 10 // longer texts are not kept: they hold lists, and hardly ever come again
)

// keptStmt is what the driver's prepared statements can do.
type keptStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keptRows is what the driver's rows can do, as far as database/sql asks.
type keptRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// keepingConn is a connection that keeps the statements it has prepared: SQLite takes longer to
// prepare most of ours than to run them. database/sql uses it from one goroutine at a time.
type keepingConn struct {
	sqliteConn
	kept  map[string]*list.Element // of *keptStatement
	order list.List                // the one used last is in front
}

type keptStatement struct {
	query string
	stmt  keptStmt
	busy  bool // its rows are being read
}

func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return k.stmt.ExecContext(ctx, args)
}

func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := k.stmt.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	inner, ok := rows.(keptRows)
	if !ok {
		return nil, errors.Join(errors.New("models: the rows of the SQLite driver cannot do what we need"), rows.Close())
	}
	k.busy = true
	return &busyRows{inner, k}, nil
}

// Close closes what is kept, too.
func (c *keepingConn) Close() error {
	var errs []error
	for e := c.order.Front(); e != nil; e = e.Next() {
		errs = append(errs, e.Value.(*keptStatement).stmt.Close())
	}
	c.kept = nil
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// statement returns the kept statement of a query; nil: it cannot be used, or it is not kept.
func (c *keepingConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	if e := c.kept[query]; e != nil {
		c.order.MoveToFront(e)
		if k := e.Value.(*keptStatement); !k.busy {
			return k, nil
		}
		return nil, nil
	}
	if len(query) > statementBytes {
		return nil, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := prepared.(keptStmt)
	if !ok {
		return nil, errors.Join(errors.New("models: the statements of the SQLite driver cannot do what we need"), prepared.Close())
	}
	c.forgetOldest()
	k := &keptStatement{query: query, stmt: stmt}
	if c.kept == nil {
		c.kept = map[string]*list.Element{}
	}
	c.kept[query] = c.order.PushFront(k)
	return k, nil
}

// forgetOldest makes room for one more statement. Those whose rows are being read stay.
func (c *keepingConn) forgetOldest() {
	for e := c.order.Back(); e != nil && c.order.Len() >= statementsKept; {
		k, before := e.Value.(*keptStatement), e.Prev()
		if !k.busy {
			c.order.Remove(e)
			delete(c.kept, k.query)
			_ = k.stmt.Close() // it reports again what its last use has reported
		}
		e = before
	}
}

// busyRows are the rows of a kept statement.
type busyRows struct {
	keptRows
	of *keptStatement
}

func (r *busyRows) Close() error {
	r.of.busy = false
	return r.keptRows.Close()
}

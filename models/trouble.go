package models

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Trouble is why a database cannot serve for now. It is a word in the log, a label of the
// metrics and a value of /readyz.
type Trouble string

// Troubles.
const (
	TroubleFull     Trouble = "full"        // its disk
	TroubleReadOnly Trouble = "read_only"   // a standby, or set so
	TroubleAway     Trouble = "unavailable" // its server, or the way to it
	TroubleDisk     Trouble = "failed"      // its disk has errors
	TroubleSlow     Trouble = "timeout"     // it does not answer in time
)

// Troubles lists all of them.
func Troubles() []Trouble {
	return []Trouble{TroubleFull, TroubleReadOnly, TroubleAway, TroubleDisk, TroubleSlow}
}

// TroubleOf returns the trouble that err tells of; empty: none, err is about what was asked.
func TroubleOf(err error) Trouble {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	var network *net.OpError // not net.Error, which errors of files are too
	switch {
	case err == nil:
		return ""
	case errors.As(err, &pg):
		return postgresTrouble(pg.Code)
	case errors.As(err, &lite):
		return sqliteTrouble(lite.Code())
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return TroubleSlow
	case errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.ErrUnexpectedEOF), pgconn.SafeToRetry(err):
		return TroubleAway
	}
	return ""
}

func postgresTrouble(state string) Trouble {
	switch {
	case state == "53100": // disk_full
		return TroubleFull
	case state == "25006": // read_only_sql_transaction
		return TroubleReadOnly
	case state == "57014", state == "55P03": // query_canceled, lock_not_available
		return TroubleSlow
	case state == "58030": // io_error
		return TroubleDisk
	case len(state) == 5 && slices.Contains([]string{"08", "53", "57", "58"}, state[:2]): // connection, resources, operator, system
		return TroubleAway
	}
	return ""
}

func sqliteTrouble(code int) Trouble {
	switch code & 0xff { // the rest is in the higher bits
	case lib.SQLITE_FULL:
		return TroubleFull
	case lib.SQLITE_READONLY:
		return TroubleReadOnly
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return TroubleSlow
	case lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN:
		return TroubleDisk
	}
	return ""
}

// troubles counts the transactions that failed for a trouble, and knows when the
// connections to PostgreSQL must be made anew.
type troubles struct {
	counts     map[Trouble]*atomic.Uint64
	generation atomic.Int64 // of connections; those of earlier ones are closed
}

func newTroubles() *troubles {
	t := &troubles{counts: map[Trouble]*atomic.Uint64{}}
	for _, why := range Troubles() {
		t.counts[why] = new(atomic.Uint64)
	}
	return t
}

// note counts the trouble of err. A server that takes no changes may have become a standby:
// with several hosts in the URL, new connections find the one that does.
func (t *troubles) note(err error) {
	why := TroubleOf(err)
	if n := t.counts[why]; n != nil {
		n.Add(1)
	}
	if why == TroubleReadOnly {
		t.generation.Add(1)
	}
}

// Troubled returns how many transactions have failed for each trouble.
func (s *Store) Troubled() map[Trouble]uint64 {
	all := map[Trouble]uint64{}
	for why, n := range s.troubles.counts {
		all[why] = n.Load()
	}
	return all
}

// born notes the generation of a new connection.
func (t *troubles) born(_ context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[generationKey] = t.generation.Load()
	return nil
}

// fresh refuses a connection of an earlier generation; database/sql makes a new one then.
func (t *troubles) fresh(_ context.Context, conn *pgx.Conn) error {
	if born, _ := conn.PgConn().CustomData()[generationKey].(int64); born < t.generation.Load() {
		return driver.ErrBadConn
	}
	return nil
}

const generationKey = "chatcast generation"

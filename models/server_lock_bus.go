package models

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrOtherBus means that processes serve from this database that this one would not hear.
var ErrOtherBus = errors.New("models: servers run on this database that another bus connects")

// lockBusClass is the first half of the keys of advisory locks that say which bus a process
// is connected to, "chat". The second half is the hash of its name. PostgreSQL keeps them
// apart from the keys of one number.
const lockBusClass = 0x63686174

func busKey(bus string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(bus))
	return h.Sum32()
}

// lockBus notes on conn which bus this process is connected to.
func lockBus(ctx context.Context, conn *pgx.Conn, bus string) error {
	_, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1::INT, $2::INT)", int32(lockBusClass), int32(busKey(bus)))
	if err != nil {
		return fmt.Errorf("models: lock: %w", err)
	}
	return nil
}

// waitForBus returns nil when no process is connected to another bus, and ErrOtherBus after
// a time in which those that are may end. Of two that start at once, each has noted its own
// bus before.
func waitForBus(ctx context.Context, conn *pgx.Conn, bus string) error {
	for end := time.Now().Add(lockWait); ; {
		var others bool
		err := conn.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
			  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			  AND classid::BIGINT = $1 AND objid::BIGINT <> $2)`, int64(lockBusClass), int64(busKey(bus))).Scan(&others)
		switch {
		case err != nil:
			return fmt.Errorf("models: lock: %w", err)
		case !others:
			return nil
		case time.Now().After(end):
			return ErrOtherBus
		}
		if err := pause(ctx, lockPoll); err != nil {
			return err
		}
	}
}

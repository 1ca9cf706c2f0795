package models

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Retryable reports whether a transaction failed only because of a concurrent one, so
// that running it again from the beginning may succeed: it was the victim of a
// deadlock, or the row that it wrote had just been written.
func Retryable(err error) bool {
	if errors.Is(err, ErrDuplicate) {
		return true
	}
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40P01" || e.Code == "40001") // deadlock_detected, serialization_failure
}

package models

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Retryable says whether a transaction failed only because of another that ran
// at the same time, so that the same work from the beginning may succeed: it was
// the victim of a deadlock, or the row that it wrote had just been written.
func Retryable(err error) bool {
	if errors.Is(err, ErrDuplicate) {
		return true
	}
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40P01" || e.Code == "40001") // deadlock_detected, serialization_failure
}

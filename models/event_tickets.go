package models

// EventTicket opens a stream of the events of one channel for the user of a session.
type EventTicket struct {
	Hash      string `gorm:"primaryKey"` // hex SHA-256 of the ticket
	TokenID   int64  // the session
	UserID    int64
	Channel   string
	CreatedAt int64
	OpenedAt  int64 // when the first stream was opened with it; 0: not yet
	OpenedSeq int64 // after which number of the journal that began
}

// CreateEventTicket inserts a ticket.
func (tx *Tx) CreateEventTicket(t *EventTicket) error { return tx.create(t) }

// EventTicket finds a ticket by the hex SHA-256 of it, or returns ErrNotFound. A disabled
// user has none, whatever the table has.
func (tx *Tx) EventTicket(hash string) (*EventTicket, error) {
	return first[EventTicket](tx.db.Where("hash = ? AND user_id IN (SELECT id FROM users WHERE disabled_at = 0)", hash))
}

// OpenEventTicket notes that the first stream was opened with a ticket, after number seq of
// the journal, and reports whether it was the first.
func (tx *Tx) OpenEventTicket(hash string, now, seq int64) (opened bool, err error) {
	res := tx.db.Exec(`UPDATE event_tickets SET opened_at = ?, opened_seq = ? WHERE hash = ? AND opened_at = 0`, now, seq, hash)
	return res.RowsAffected > 0, res.Error
}

// EventTicketsSince counts the user's tickets made after since, and returns when the oldest
// of them was made.
func (tx *Tx) EventTicketsSince(userID, since int64) (count, oldest int64, err error) {
	var row struct{ N, Oldest int64 }
	err = tx.db.Raw(`SELECT COUNT(*) AS n, COALESCE(MIN(created_at), 0) AS oldest FROM event_tickets
		WHERE user_id = ? AND created_at > ?`, userID, since).Scan(&row).Error
	return row.N, row.Oldest, err
}

// DeleteEventTickets deletes the tickets that were made at or before made.
func (tx *Tx) DeleteEventTickets(made int64) error {
	return tx.db.Exec(`DELETE FROM event_tickets WHERE created_at <= ?`, made).Error
}

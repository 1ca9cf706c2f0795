package models

// LineCount is how many lines of a messenger type are in a state.
type LineCount struct {
	MessengerType string
	State         string
	Lines         int64
}

// LineCounts counts the lines with an account by messenger type and state.
func (tx *Tx) LineCounts() ([]LineCount, error) {
	var counts []LineCount
	err := tx.db.Table("messenger_sessions").Select("messenger_type, state, COUNT(*) AS lines").
		Group("messenger_type, state").Order("messenger_type, state").Scan(&counts).Error
	return counts, err
}

// RatingCount is how many lines of a messenger type have a rating.
type RatingCount struct {
	MessengerType string
	Rating        string
	Lines         int64
}

// RatingCounts counts the paired lines by messenger type and rating.
func (tx *Tx) RatingCounts() ([]RatingCount, error) {
	var counts []RatingCount
	err := tx.db.Table("messenger_sessions").Select("messenger_type, rating, COUNT(*) AS lines").Where("paired").
		Group("messenger_type, rating").Order("messenger_type, rating").Scan(&counts).Error
	return counts, err
}

// Waiting is how much waits, and since when the oldest of it, in unix milliseconds; 0:
// nothing waits.
type Waiting struct {
	N      int64
	Oldest int64
}

// OutboxWaiting describes the outboxes of all lines.
func (tx *Tx) OutboxWaiting() (w Waiting, err error) {
	err = tx.db.Raw("SELECT COUNT(*) AS n, COALESCE(MIN(created_at), 0) * 1000 AS oldest FROM outbox").Scan(&w).Error
	return w, err
}

// JournalWaiting describes the entries of the journal that were not published yet.
func (tx *Tx) JournalWaiting() (w Waiting, err error) {
	err = tx.db.Raw(`SELECT COUNT(*) AS n, COALESCE(MIN(created_at_ms), 0) AS oldest FROM (
		SELECT created_at_ms FROM journal WHERE seq IS NULL
		UNION ALL
		SELECT created_at_ms FROM journal WHERE seq > (SELECT published_seq FROM journal_state WHERE id = 1)) AS waiting`).Scan(&w).Error
	return w, err
}

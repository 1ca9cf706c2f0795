package models

// Kinds of an AccessEnd.
const (
	EndOfChannels = "channels" // the user may not enter the channels any more
	EndOfSession  = "session"  // the session has ended
	EndOfSessions = "sessions" // all sessions before this one have ended
)

// AccessEnd is the end of an access, of which all processes that serve sockets have to be
// told. It is kept until they were.
type AccessEnd struct {
	ID       int64 `gorm:"primaryKey"`
	UserID   int64
	Kind     string
	Session  int64    // of EndOfSession and EndOfSessions
	Channels []string `gorm:"serializer:json"` // of EndOfChannels
	AtMS     int64    `gorm:"column:at_ms"`    // by the clock of the database
}

// TableName returns the table's name.
func (AccessEnd) TableName() string { return "access_ends" }

// AddAccessEnd inserts an end, and sets its ID and AtMS.
func (tx *Tx) AddAccessEnd(e *AccessEnd) (err error) {
	if e.AtMS, err = tx.NowMS(); err != nil {
		return err
	}
	e.ID = 0 // of an attempt that the database has ended
	if e.Channels == nil {
		e.Channels = []string{} // not NULL
	}
	return tx.create(e)
}

// LastSession returns the highest id of the user's sessions, also of those that have ended; 0:
// there was none.
func (tx *Tx) LastSession(userID int64) (id int64, err error) {
	return id, tx.db.Raw("SELECT COALESCE(MAX(id), 0) FROM tokens WHERE user_id = ?", userID).Scan(&id).Error
}

// AccessEndsOf lists at most limit ends that are kept for at least age milliseconds, the oldest
// first.
func (tx *Tx) AccessEndsOf(age int64, limit int) ([]AccessEnd, error) {
	var list []AccessEnd
	err := tx.db.Where("at_ms <= "+tx.clockMS()+" - ?", age).Order("id").Limit(limit).Find(&list).Error
	return list, err
}

// RemoveAccessEnds removes ends of which all were told. It does not wait for the disk: who
// finds one again tells it again.
func (tx *Tx) RemoveAccessEnds(ids []int64) error {
	if err := tx.leaveToLog(); err != nil {
		return err
	}
	return tx.db.Exec("DELETE FROM access_ends WHERE id IN ?", ids).Error
}

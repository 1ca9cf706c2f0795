package models

// The log of a URL has rooms, so that what there is much of pushes out nothing else. What was not
// sent, and will not be by itself, has the largest one: it is looked for there.
const (
	CallbackLogRows    = 1000 // of what was delivered, and of attempts in vain
	CallbackUnsentRows = 5000 // of what was given up or lost
	CallbackLiveRows   = 100  // of what is not in the journal
)

// callbackRoom is a room of the log of a URL.
type callbackRoom struct {
	of   string // selects its rows, in the words of the indexes
	keep int
}

var (
	callbackDelivered = &callbackRoom{"kind NOT IN ('live', 'givenUp', 'lost') AND reason = ''", CallbackLogRows}
	callbackFailed    = &callbackRoom{"kind NOT IN ('live', 'givenUp', 'lost') AND reason <> ''", CallbackLogRows}
	callbackUnsent    = &callbackRoom{"kind IN ('givenUp', 'lost')", CallbackUnsentRows}
	callbackLive      = &callbackRoom{"kind = 'live'", CallbackLiveRows}
)

func (d *CallbackDelivery) room() *callbackRoom {
	switch {
	case d.Kind == CallbackLive:
		return callbackLive
	case d.Kind == CallbackGivenUp || d.Kind == CallbackLost:
		return callbackUnsent
	case d.Reason != "":
		return callbackFailed
	}
	return callbackDelivered
}

// CallbackDelivery returns an entry of the log of a URL by its event, the last one, or
// ErrNotFound.
func (tx *Tx) CallbackDelivery(callbackID, seq int64) (*CallbackDelivery, error) {
	return first[CallbackDelivery](tx.db.Where("callback_id = ? AND seq = ? AND kind <> ?", callbackID, seq, CallbackLost).Order("id DESC"))
}

// CallbackLogQuery selects entries of the log of a URL.
type CallbackLogQuery struct {
	CallbackID int64
	Before     int64 // only entries with a smaller id; 0: all
	Failed     *bool // only what was not delivered, or only what was; nil: both
	GivenUp    bool  // only what was given up
}

// CallbackDeliveries lists at most limit entries of the log of a URL, newest first.
func (tx *Tx) CallbackDeliveries(q CallbackLogQuery, limit int) ([]CallbackDelivery, error) {
	find := tx.db.Where("callback_id = ?", q.CallbackID)
	if q.Before > 0 {
		find = find.Where("id < ?", q.Before)
	}
	if q.Failed != nil {
		find = find.Where("(reason <> '') = ?", *q.Failed)
	}
	if q.GivenUp {
		find = find.Where("kind = ?", CallbackGivenUp)
	}
	var rows []CallbackDelivery
	return rows, find.Order("id DESC").Limit(limit).Find(&rows).Error
}

// LogCallback adds entries to the log of a URL, unless the URL is gone. Of each room the newest ones
// are kept.
func (tx *Tx) LogCallback(callbackID int64, rows []CallbackDelivery) error {
	if len(rows) == 0 {
		return nil
	}
	var there int64
	if err := tx.db.Model(&CallbackURL{}).Where("id = ?", callbackID).Count(&there).Error; err != nil || there == 0 {
		return err
	}
	grown := map[*callbackRoom]bool{}
	for i := range rows {
		rows[i].ID, rows[i].CallbackID = 0, callbackID
		grown[rows[i].room()] = true
	}
	if err := tx.create(&rows); err != nil {
		return err
	}
	for room := range grown {
		err := tx.db.Exec("DELETE FROM callback_deliveries WHERE "+room.of+` AND callback_id = ? AND id <= (
			SELECT id FROM callback_deliveries WHERE `+room.of+" AND callback_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)", callbackID, callbackID, room.keep).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// ForgetCallbackLog removes at most limit entries of the logs from before a time, in unix
// milliseconds, and returns how many.
func (tx *Tx) ForgetCallbackLog(beforeMS int64, limit int) (int64, error) {
	res := tx.db.Exec("DELETE FROM callback_deliveries WHERE id IN (?)", tx.oldLog("callback_deliveries", beforeMS, limit))
	return res.RowsAffected, res.Error
}

// forgetAnswers drops the answers to events from the logs: a receiver may have repeated what
// it got.
func (tx *Tx) forgetAnswers(which string, args ...any) error {
	return tx.db.Exec("UPDATE callback_deliveries SET answer = '' WHERE answer <> '' AND "+which, args...).Error
}

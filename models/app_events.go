package models

import (
	"maps"
	"slices"
)

// AppEvent is an event of a channel of an app that keeps a history.
type AppEvent struct {
	Seq          int64 `gorm:"primaryKey;autoIncrement:false"` // the event id
	AppID        string
	Channel      string
	Name         []byte
	Data         []byte
	ExceptSocket string // does not get it; empty: none
	Size         int64
	CreatedAtMS  int64 `gorm:"column:created_at_ms"`
	ExpiresAtMS  int64 `gorm:"column:expires_at_ms"`
}

// TableName returns the table's name.
func (AppEvent) TableName() string { return "app_events" }

const (
	notifyAppEvents = "chatcast_app_events" // as in notifyAppended

	appEventColumns = 9       // of the table
	appEventParams  = 9 * 500 // of one statement: SQLite allows 32,766
)

// AppendAppEvents gives the events the next numbers, in their order, and adds them to the
// history. Nobody else can add any until the transaction ends: whoever reads a number can
// read all lower ones that are kept. On PostgreSQL the commit notifies all nodes.
func (tx *Tx) AppendAppEvents(list []AppEvent) error {
	last, err := tx.lockAppEvents()
	if err != nil {
		return err
	}
	bytes := map[string]int64{}
	for i := range list {
		e := &list[i]
		e.Seq, e.Size = last+int64(i)+1, appEventSize(e)
		bytes[e.AppID] += e.Size
	}
	for part := range slices.Chunk(list, appEventParams/appEventColumns) {
		if err := tx.db.Create(part).Error; err != nil {
			return err
		}
	}
	for _, app := range slices.Sorted(maps.Keys(bytes)) { // in an order, so that nobody waits in a circle
		if err := tx.addAppBytes(app, bytes[app]); err != nil {
			return err
		}
	}
	if err := tx.db.Exec("UPDATE app_events_state SET last_seq = ? WHERE id = 1", last+int64(len(list))).Error; err != nil {
		return err
	}
	return tx.notify(notifyAppEvents)
}

// appEventSize is what an event counts: its texts, and about what its row takes besides.
func appEventSize(e *AppEvent) int64 {
	const row = 100
	return int64(row + len(e.AppID) + len(e.Channel) + len(e.Name) + len(e.Data) + len(e.ExceptSocket))
}

func (tx *Tx) addAppBytes(app string, n int64) error {
	return tx.db.Exec(`INSERT INTO app_events_totals (app_id, bytes) VALUES (?, ?)
		ON CONFLICT (app_id) DO UPDATE SET bytes = app_events_totals.bytes + excluded.bytes`, app, n).Error
}

// LastAppEvent returns the last number given, 0 before the first.
func (tx *Tx) LastAppEvent() (seq int64, err error) {
	return seq, tx.db.Raw("SELECT last_seq FROM app_events_state WHERE id = 1").Scan(&seq).Error
}

// AppEventsAfter lists at most limit events of all apps with numbers above seq, in the
// order of their numbers, and stops after the one with which the data has size bytes. more
// reports whether there may be more.
func (tx *Tx) AppEventsAfter(seq int64, limit, size int) (list []AppEvent, more bool, err error) {
	return tx.appEvents(limit, size, "seq > ?", seq)
}

// AppChannelEvents is AppEventsAfter for one channel, up to a number.
func (tx *Tx) AppChannelEvents(app, channel string, after, upTo int64, limit, size int) (list []AppEvent, more bool, err error) {
	return tx.appEvents(limit, size, "app_id = ? AND channel = ? AND seq > ? AND seq <= ?", app, channel, after, upTo)
}

func (tx *Tx) appEvents(limit, size int, where string, args ...any) (list []AppEvent, more bool, err error) {
	rows, err := tx.db.Model(&AppEvent{}).Where(where, args...).Order("seq").Limit(limit).Rows()
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var e AppEvent
		if err := tx.db.ScanRows(rows, &e); err != nil {
			return nil, false, err
		}
		list = append(list, e)
		if size -= len(e.Data); size <= 0 {
			return list, true, nil
		}
	}
	return list, len(list) == limit, rows.Err()
}

// AppChannelBounds are the bounds of a channel's history.
type AppChannelBounds struct {
	Removed int64 // the highest number that was removed or not kept, or may have been; 0: none
	First   int64 // the lowest number above it that is kept; 0: none is
}

// AppChannelBounds returns the bounds of a channel's history, whose events are kept since a
// number. Events with numbers up to Removed do not count: others between them and the later
// ones are gone.
func (tx *Tx) AppChannelBounds(app, channel string, since int64) (b AppChannelBounds, err error) {
	err = tx.db.Raw("SELECT COALESCE(MAX(seq), 0) FROM app_events_removed WHERE app_id = ? AND channel IN (?, '')", app, channel).Scan(&b.Removed).Error
	if err != nil {
		return b, err
	}
	b.Removed = max(b.Removed, since)
	return b, tx.db.Raw("SELECT COALESCE(MIN(seq), 0) FROM app_events WHERE app_id = ? AND channel = ? AND seq > ?", app, channel, b.Removed).Scan(&b.First).Error
}

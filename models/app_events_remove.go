package models

import (
	"errors"
	"maps"
	"slices"
)

// maxRemoved is for how many channels of an app the highest removed number is known. For
// the others, that of the last channel that was dropped from the list counts.
const maxRemoved = 10_000

// AppEventsExpired reports whether there are events that were to be kept until nowMS.
func (tx *Tx) AppEventsExpired(nowMS int64) (any bool, err error) {
	return any, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM app_events WHERE expires_at_ms <= ?)", nowMS).Scan(&any).Error
}

// RemoveExpiredAppEvents removes at most limit events with numbers up to last that were to be
// kept until nowMS, and returns how many.
func (tx *Tx) RemoveExpiredAppEvents(nowMS, last int64, limit int) (int, error) {
	return tx.removeAppEvents("SELECT seq FROM app_events WHERE expires_at_ms <= ? AND seq <= ? ORDER BY seq LIMIT ?", nowMS, last, limit)
}

// AppEventBytes returns how many bytes are kept of each app.
func (tx *Tx) AppEventBytes() (map[string]int64, error) {
	var rows []struct {
		AppID string
		Bytes int64
	}
	err := tx.db.Raw("SELECT app_id, bytes FROM app_events_totals").Scan(&rows).Error
	bytes := make(map[string]int64, len(rows))
	for _, r := range rows {
		bytes[r.AppID] = r.Bytes
	}
	return bytes, err
}

// RemoveExcessAppEvents removes the oldest events of an app with numbers up to last, at most
// limit, until at most the given bytes are kept. It returns how many it removed. Like all who
// remove events, it locks them before the app's total.
func (tx *Tx) RemoveExcessAppEvents(app string, most, last int64, limit int) (int, error) {
	var kept int64
	if err := tx.db.Table("app_events_totals").Where("app_id = ?", app).Select("bytes").Scan(&kept).Error; err != nil || kept <= most {
		return 0, err
	}
	return tx.removeAppEvents(`
		SELECT seq FROM app_events WHERE app_id = ? AND seq IN (
			SELECT seq FROM (
				SELECT seq, SUM(size) OVER (ORDER BY seq) - size AS before
				FROM (SELECT seq, size FROM app_events WHERE app_id = ? AND seq <= ? ORDER BY seq LIMIT ?) AS oldest
			) AS sums WHERE before < ?)
		ORDER BY seq`, app, app, last, limit, kept-most)
}

// removeAppEvents removes the events whose numbers a query lists in order. It notes up to
// where each channel has lost events.
func (tx *Tx) removeAppEvents(numbers string, args ...any) (int, error) {
	var removed []AppEvent
	err := tx.db.Raw("DELETE FROM app_events WHERE seq IN ("+numbers+tx.lockRows()+") RETURNING seq, app_id, channel, size", args...).Scan(&removed).Error
	if err != nil {
		return 0, err
	}
	type channel struct{ app, name string }
	last, bytes := map[channel]int64{}, map[string]int64{}
	for _, e := range removed {
		ch := channel{e.AppID, e.Channel}
		last[ch] = max(last[ch], e.Seq)
		bytes[e.AppID] -= e.Size
	}
	for _, app := range slices.Sorted(maps.Keys(bytes)) {
		if err := tx.addAppBytes(app, bytes[app]); err != nil {
			return 0, err
		}
		for ch, seq := range last {
			if ch.app != app {
				continue
			}
			if err := tx.noteRemoved(app, ch.name, seq); err != nil {
				return 0, err
			}
		}
		if err := tx.boundRemoved(app); err != nil {
			return 0, err
		}
	}
	return len(removed), nil
}

// noteRemoved notes that events of a channel up to seq were removed. Two do it for one app
// one after the other, because addAppBytes has locked the app's row.
func (tx *Tx) noteRemoved(app, channel string, seq int64) error {
	return tx.db.Exec(`INSERT INTO app_events_removed (app_id, channel, seq) VALUES (?, ?, ?)
		ON CONFLICT (app_id, channel) DO UPDATE SET seq = CASE WHEN excluded.seq > app_events_removed.seq THEN excluded.seq ELSE app_events_removed.seq END`,
		app, channel, seq).Error
}

// boundRemoved keeps the notes of the maxRemoved channels that lost events last.
func (tx *Tx) boundRemoved(app string) error {
	var floor *int64
	err := tx.db.Raw("SELECT seq FROM app_events_removed WHERE app_id = ? AND channel <> '' ORDER BY seq DESC LIMIT 1 OFFSET ?", app, maxRemoved).Scan(&floor).Error
	if err != nil || floor == nil {
		return err
	}
	return errors.Join(
		tx.noteRemoved(app, "", *floor),
		tx.db.Exec("DELETE FROM app_events_removed WHERE app_id = ? AND channel <> '' AND seq <= ?", app, *floor).Error,
	)
}

// forgetAppEvents removes the history of an app, which must not pass to another app with its
// id. The numbers go on.
func (tx *Tx) forgetAppEvents(app string) error {
	return errors.Join(
		tx.db.Exec("DELETE FROM app_events WHERE app_id = ?", app).Error,
		tx.db.Exec("DELETE FROM app_events_totals WHERE app_id = ?", app).Error,
		tx.db.Exec("DELETE FROM app_events_removed WHERE app_id = ?", app).Error,
		tx.db.Exec("DELETE FROM app_events_rules WHERE app_id = ?", app).Error,
	)
}

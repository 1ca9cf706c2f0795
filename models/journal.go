package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Channels on which PostgreSQL notifies the listening nodes, see Store.LeadJournal.
const (
	notifyAppended  = "chatcast_appended"
	notifyPublished = "chatcast_published"
)

// AppendJournal adds an event to the journal in the transaction of its change, without
// a number: the relay sets Seq after the commit, see NotifyAppended. Channels must be a JSON
// array of strings, and Data JSON.
func (tx *Tx) AppendJournal(e *JournalEntry) error {
	var names []string
	if err := json.Unmarshal([]byte(e.Channels), &names); err != nil {
		return fmt.Errorf("models: channels of journal entry %q: %w", e.Name, err)
	}
	if !json.Valid([]byte(e.Data)) {
		return fmt.Errorf("models: data of journal entry %q is not JSON", e.Name)
	}
	if err := tx.create(e); err != nil {
		return err
	}
	for _, id := range e.Messages {
		err := tx.db.Exec("INSERT INTO journal_messages (message_id, journal_id) VALUES (?, ?) ON CONFLICT DO NOTHING", id, e.ID).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// NotifyAppended tells all nodes that the journal has grown. It is called after the commit
// and not in it: PostgreSQL holds a lock of the whole instance while a transaction that
// notifies commits, and the lock would be held while the disk works.
func (s *Store) NotifyAppended(ctx context.Context) error {
	if !s.postgres {
		return nil
	}
	return s.Tx(ctx, func(tx *Tx) error {
		return errors.Join(tx.leaveToLog(), tx.notify(notifyAppended))
	})
}

// leaveToLog lets the transaction commit without waiting for the disk: a crash of the
// database may take it back.
func (tx *Tx) leaveToLog() error {
	if !tx.postgres {
		return nil
	}
	return tx.db.Exec("SET LOCAL synchronous_commit = off").Error
}

// LockJournalOfMessage lists the entries that show the content of a message, and locks
// them until the transaction ends. Nothing is numbered until then: NumberJournal would
// meet who locks the entries of several messages in a deadlock, again and again. Two who
// lock those of the same messages in another order still may.
func (tx *Tx) LockJournalOfMessage(messageID int64) ([]JournalEntry, error) {
	if tx.postgres {
		if err := tx.db.Exec("SELECT id FROM journal_state WHERE id = 1 FOR SHARE").Error; err != nil {
			return nil, err
		}
	}
	var entries []JournalEntry
	err := tx.forUpdate().Where("id IN (SELECT journal_id FROM journal_messages WHERE message_id = ?)", messageID).Order("id").Find(&entries).Error
	return entries, err
}

// SetJournalData replaces the data of an entry, which must be JSON, and drops what was
// answered to it.
func (tx *Tx) SetJournalData(id int64, data string) error {
	if !json.Valid([]byte(data)) {
		return fmt.Errorf("models: data of journal entry %d is not JSON", id)
	}
	return errors.Join(
		tx.db.Exec("UPDATE journal SET data = ? WHERE id = ?", data, id).Error,
		tx.forgetAnswers("seq = (SELECT seq FROM journal WHERE id = ?)", id),
	)
}

// notify sends a notification when the transaction commits. On SQLite it does nothing,
// because there is no other process to notify.
func (tx *Tx) notify(channel string) error {
	if !tx.postgres {
		return nil
	}
	return tx.db.Exec("SELECT pg_notify(?, '')", channel).Error
}

// NumberJournal gives the next numbers to at most limit committed entries that have
// none, in the order of their ids, and lists them by channel. It returns how many it
// numbered; when that is limit, there may be more. It must run in a Store.Tx of its
// own, so that no number is given twice or left out. It locks the entries in the order of
// their ids.
//
// No entry is skipped: an entry gets its number when it is seen committed, not when it
// is written. An entry that commits late is seen by a later call and gets a later
// number.
func (tx *Tx) NumberJournal(limit int) (int, error) {
	// The row of journal_state is the lock of the numbering, in case two relays run.
	var last int64
	if err := tx.forUpdate().Table("journal_state").Where("id = 1").Select("last_seq").Scan(&last).Error; err != nil {
		return 0, err
	}
	res := tx.db.Exec(`
		UPDATE journal SET seq = ? + n.rank
		FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS rank
		      FROM (SELECT id FROM journal WHERE seq IS NULL ORDER BY id LIMIT ?`+tx.lockRows()+`) AS pending) AS n
		WHERE journal.id = n.id`, last, limit)
	if res.Error != nil || res.RowsAffected == 0 {
		return 0, res.Error
	}
	err := tx.db.Exec(`
		INSERT INTO journal_channels (channel, seq)
		SELECT DISTINCT c.value, j.seq FROM journal AS j, `+tx.jsonStrings("j.channels")+` AS c
		WHERE j.seq > ? AND j.seq <= ?`, last, last+res.RowsAffected).Error
	if err != nil {
		return 0, err
	}
	return int(res.RowsAffected), tx.db.Exec(
		"UPDATE journal_state SET last_seq = ? WHERE id = 1", last+res.RowsAffected).Error
}

// jsonStrings returns the table expression that has the strings of a JSON array as
// value.
func (tx *Tx) jsonStrings(column string) string {
	if tx.postgres {
		return "LATERAL (SELECT value FROM json_array_elements_text(" + column + "::json) AS value)"
	}
	return "json_each(" + column + ")"
}

// UnpublishedJournal lists at most limit numbered entries that are not marked
// published, in the order of their numbers.
func (tx *Tx) UnpublishedJournal(limit int) ([]JournalEntry, error) {
	var entries []JournalEntry
	err := tx.db.Where("seq > (SELECT published_seq FROM journal_state WHERE id = 1)").
		Order("seq").Limit(limit).Find(&entries).Error
	return entries, err
}

// MarkPublished records that all entries up to seq have been handed to the bus, and removes
// what those say that are in no channel any more, see ForgetJournalOf. On PostgreSQL the
// commit notifies all nodes.
func (tx *Tx) MarkPublished(seq int64) error {
	before, _, err := tx.lockJournalState()
	if err != nil {
		return err
	}
	if err := tx.publishUpTo(before, seq); err != nil {
		return err
	}
	return tx.notify(notifyPublished)
}

// MarkNumbered is MarkPublished with all numbered entries, for nodes that read them by
// themselves. It returns the last number, and notifies nobody if there are no more than before.
//
// It does not wait for the disk: the numbers are committed before, and what a crash takes
// back is recorded again.
func (tx *Tx) MarkNumbered() (seq int64, err error) {
	if err := tx.leaveToLog(); err != nil {
		return 0, err
	}
	before, last, err := tx.lockJournalState()
	if err != nil || before >= last {
		return last, err
	}
	return last, errors.Join(tx.publishUpTo(before, last), tx.notify(notifyPublished))
}

// lockJournalState keeps others from marking entries until the transaction ends.
func (tx *Tx) lockJournalState() (published, last int64, err error) {
	var state struct{ PublishedSeq, LastSeq int64 }
	err = tx.forUpdate().Table("journal_state").Where("id = 1").Select("published_seq, last_seq").Scan(&state).Error
	return state.PublishedSeq, state.LastSeq, err
}

// publishUpTo marks entries as published, if they are not.
func (tx *Tx) publishUpTo(before, seq int64) error {
	if before >= seq {
		return nil
	}
	return errors.Join(
		tx.db.Exec("UPDATE journal AS j "+emptyEntry+" WHERE j.seq > ? AND j.seq <= ? AND j.channels <> '[]' AND NOT "+listedEntry, before, seq).Error,
		tx.db.Exec("UPDATE journal_state SET published_seq = ? WHERE id = 1", seq).Error,
	)
}

// PublishedJournal lists at most limit published entries with numbers above seq, in the
// order of their numbers.
func (tx *Tx) PublishedJournal(seq int64, limit int) ([]JournalEntry, error) {
	var entries []JournalEntry
	err := tx.db.Where("seq > ? AND seq <= (SELECT published_seq FROM journal_state WHERE id = 1)", seq).
		Order("seq").Limit(limit).Find(&entries).Error
	return entries, err
}

// JournalBounds are the bounds of the journal.
type JournalBounds struct {
	First     int64 // the lowest number still kept; LastSeq+1 when none is
	LastSeq   int64 // the last number given, 0 before the first
	Published int64 // the last number handed to the bus
}

// JournalBounds returns the bounds of the journal. Every entry up to LastSeq is visible
// to queries after this one, unless it is pruned meanwhile.
func (tx *Tx) JournalBounds() (*JournalBounds, error) {
	var b JournalBounds
	err := tx.db.Raw(`
		SELECT COALESCE((SELECT MIN(seq) FROM journal), last_seq + 1) AS first,
		       last_seq, published_seq AS published
		FROM journal_state WHERE id = 1`).Scan(&b).Error
	return &b, err
}

// JournalPublished reports whether the entry with this row id, and all before it, were handed to
// the bus.
func (tx *Tx) JournalPublished(id int64) (bool, error) {
	var n int64
	err := tx.db.Model(&JournalEntry{}).Where("id = ? AND (seq IS NULL OR seq > (SELECT published_seq FROM journal_state WHERE id = 1))", id).Count(&n).Error
	return n == 0, err
}

// JournalUnnumbered returns how many committed entries have no number yet.
func (tx *Tx) JournalUnnumbered() (n int64, err error) {
	err = tx.db.Model(&JournalEntry{}).Where("seq IS NULL").Count(&n).Error
	return n, err
}

// ChannelView is the part of the journal that a user may read in a channel.
type ChannelView struct {
	Channel string
	Company int64    // instead of a channel: all entries of a company
	Also    []string // only what is in one of these channels too; nil: everything
	SeenBy  int64    // without what is said in chats that are others', see mine; 0: with it
	Without string   // without events whose names begin so; empty: with all
}

// nothing reports whether the user may read nothing.
func (v ChannelView) nothing() bool { return v.Also != nil && len(v.Also) == 0 }

// from returns the table that has the numbers of the entries.
func (v ChannelView) from() string {
	if v.Company != 0 {
		return "journal"
	}
	return "journal_channels"
}

func (v ChannelView) where() (condition string, args []any) {
	condition, args = "c.channel = ?", []any{v.Channel}
	if v.Company != 0 {
		condition, args = "c.company_id = ?", []any{v.Company}
	}
	if v.Also != nil {
		condition += " AND EXISTS (SELECT 1 FROM journal_channels AS a WHERE a.seq = c.seq AND a.channel IN ?)"
		args = append(args, v.Also)
	}
	if v.Without != "" {
		condition += " AND substr(j.name, 1, ?) <> ?"
		args = append(args, len(v.Without), v.Without)
	}
	if v.SeenBy != 0 {
		condition += ` AND NOT EXISTS (
			SELECT 1 FROM journal_messages AS said JOIN messages AS m ON m.id = said.message_id JOIN chats AS c ON c.id = m.chat_id
			WHERE said.journal_id = j.id AND NOT ` + mine + `)`
		args = append(args, v.SeenBy, v.SeenBy)
	}
	return condition, args
}

// ChannelJournal lists at most limit entries of the channel with numbers above after
// and up to upTo, in the order of their numbers.
func (tx *Tx) ChannelJournal(v ChannelView, after, upTo int64, limit int) ([]JournalEntry, error) {
	entries, _, err := tx.ChannelJournalPage(v, after, upTo, limit, math.MaxInt)
	return entries, err
}

// ChannelJournalPage is ChannelJournal that stops after the entry with which the data has
// size bytes. more reports whether it stopped at size or limit, so that there may be more.
// It holds no entries but those that it returns.
func (tx *Tx) ChannelJournalPage(v ChannelView, after, upTo int64, limit, size int) (entries []JournalEntry, more bool, err error) {
	if v.nothing() {
		return nil, false, nil
	}
	where, args := v.where()
	rows, err := tx.db.Raw(`
		SELECT j.* FROM `+v.from()+` AS c JOIN journal AS j ON j.seq = c.seq
		WHERE `+where+` AND c.seq > ? AND c.seq <= ?
		ORDER BY c.seq LIMIT ?`, append(args, after, upTo, limit)...).Rows()
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var e JournalEntry
		if err := tx.db.ScanRows(rows, &e); err != nil {
			return nil, false, err
		}
		entries = append(entries, e)
		if size -= len(e.Data); size <= 0 {
			return entries, true, nil
		}
	}
	return entries, len(entries) == limit, rows.Err()
}

// NewestChannelJournal lists the last limit entries of the channel up to upTo, in the
// order of their numbers.
func (tx *Tx) NewestChannelJournal(v ChannelView, upTo int64, limit int) ([]JournalEntry, error) {
	if v.nothing() {
		return nil, nil
	}
	var entries []JournalEntry
	where, args := v.where()
	err := tx.db.Raw(`
		SELECT j.* FROM `+v.from()+` AS c JOIN journal AS j ON j.seq = c.seq
		WHERE `+where+` AND c.seq <= ?
		ORDER BY c.seq DESC LIMIT ?`, append(args, upTo, limit)...).Scan(&entries).Error
	slices.Reverse(entries)
	return entries, err
}

// PruneJournal removes published entries older than beforeMS, unix milliseconds, from
// the journal's beginning. It looks at the first limit entries and returns how many it
// removed. It leaves no gap: an old entry behind a newer one stays until the newer one
// goes. The answers to the events go too.
func (tx *Tx) PruneJournal(beforeMS int64, limit int) (int, error) {
	var oldest []struct{ Seq, CreatedAtMS int64 }
	err := tx.db.Raw(`
		SELECT seq, created_at_ms FROM journal
		WHERE seq <= (SELECT published_seq FROM journal_state WHERE id = 1)
		ORDER BY seq LIMIT ?`, limit).Scan(&oldest).Error
	if err != nil {
		return 0, err
	}
	var upTo, newest int64
	for _, e := range oldest {
		if e.CreatedAtMS >= beforeMS {
			break
		}
		upTo, newest = e.Seq, max(newest, e.CreatedAtMS)
	}
	if upTo == 0 {
		return 0, nil
	}
	// Their rows of journal_channels go too.
	res := tx.db.Exec("DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE seq <= ? ORDER BY id"+tx.lockRows()+")", upTo)
	return int(res.RowsAffected), errors.Join(
		res.Error,
		tx.forgetAnswers("seq <= ?", upTo), // a deletion finds them by the entry
		tx.db.Exec("UPDATE journal_removed SET created_at_ms = ? WHERE id = 1 AND created_at_ms < ?", newest, newest).Error,
	)
}

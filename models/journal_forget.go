package models

import (
	"errors"
	"math"

	"gorm.io/gorm"
)

// LockJournalOfChannel lists the entries of a channel with one of the names, which are published
// to no other, and locks them as LockJournalOfMessage does.
func (tx *Tx) LockJournalOfChannel(channel string, names []string) ([]JournalEntry, error) {
	find := "instr"
	if tx.postgres {
		find = "strpos"
		if err := tx.db.Exec("SELECT id FROM journal_state WHERE id = 1 FOR SHARE").Error; err != nil {
			return nil, err
		}
	}
	var entries []JournalEntry
	return entries, inChannel(tx.forUpdate(), find, channel, names).Find(&entries).Error
}

// inChannel finds numbered entries by their channel. The others are few.
func inChannel(db *gorm.DB, find, channel string, names []string) *gorm.DB {
	return db.Where("name IN ? AND id IN (SELECT j.id FROM journal_channels jc JOIN journal j ON j.seq = jc.seq WHERE jc.channel = ?"+
		" UNION ALL SELECT id FROM journal WHERE seq IS NULL AND "+find+"(channels, ?) > 0)", names, channel, `"`+channel+`"`).Order("id")
}

// ForgetJournal removes what an entry says, and takes it out of its channels. An entry that
// has a number stays: a gap would make the cursors of others too old.
func (tx *Tx) ForgetJournal(e JournalEntry) error {
	if e.Seq == nil {
		return tx.db.Exec("DELETE FROM journal WHERE id = ?", e.ID).Error
	}
	return errors.Join(
		tx.forgetAnswers("seq = ?", *e.Seq),
		tx.db.Exec("DELETE FROM journal_channels WHERE seq = ?", *e.Seq).Error,
		tx.db.Exec("UPDATE journal "+emptyEntry+" WHERE id = ?", e.ID).Error,
	)
}

// emptyEntry makes an entry one without content, as events are shaped.
const emptyEntry = `SET data = '{"payload":{"data":[],"meta":{"type":""}}}', channels = '[]'`

// ForgetJournalOf removes from the journal what was published to the channel, and to
// others with it: it can no longer be read, whoever gets a channel of that name later.
// What is published stays as an entry without content, in no channel: a gap would make
// the cursors of others too old. What has no number yet is published to nobody. What has
// one is still published, as the relay may be doing it now, and emptied by MarkPublished.
func (tx *Tx) ForgetJournalOf(channel string) error {
	find := "instr"
	if tx.postgres {
		find = "strpos"
		// Most goes before the numbering has to wait: see LockJournalOfMessage.
		published, err := tx.publishedSeq()
		if err != nil {
			return err
		}
		err = errors.Join(
			tx.unlistJournal(channel, published, published),
			tx.db.Exec("SELECT id FROM journal_state WHERE id = 1 FOR SHARE").Error,
		)
		if err != nil {
			return err
		}
	}
	published, err := tx.publishedSeq()
	if err != nil {
		return err
	}
	return errors.Join(
		tx.unlistJournal(channel, published, math.MaxInt64), // also what got a number meanwhile
		tx.db.Exec("DELETE FROM journal WHERE seq IS NULL AND "+find+"(channels, ?) > 0", `"`+channel+`"`).Error,
	)
}

func (tx *Tx) publishedSeq() (seq int64, err error) {
	return seq, tx.db.Raw("SELECT published_seq FROM journal_state WHERE id = 1").Scan(&seq).Error
}

// unlistJournal takes the entries of a channel up to a number out of their channels, and
// removes what those up to published say.
func (tx *Tx) unlistJournal(channel string, published, upTo int64) error {
	const ours = "seq IN (SELECT seq FROM journal_channels WHERE channel = ? AND seq <= ?)"
	if tx.postgres { // who logs an answer to one of them waits, or has done it: see KeepJournal
		if err := tx.db.Exec("SELECT id FROM journal WHERE "+ours+" ORDER BY id FOR UPDATE", channel, upTo).Error; err != nil {
			return err
		}
	}
	return errors.Join(
		tx.db.Exec("UPDATE journal "+emptyEntry+" WHERE "+ours, channel, min(published, upTo)).Error,
		tx.forgetAnswers(ours, channel, upTo),
		tx.db.Exec("DELETE FROM journal_channels WHERE "+ours, channel, upTo).Error,
	)
}

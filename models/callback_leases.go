package models

import (
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// ClaimCallbacks extends the lease of owner to ttl from now, and gives it the URLs that no
// living process has; with alone these are all. It returns the URLs that owner has now,
// without their secrets and what they select. The leases are locked meanwhile, so that of a
// process that renews and one that takes over, or of two that are new, one sees what the
// other did. All renewals wait for that lock, so a URL that is locked, as by the deletion of
// its line, is not waited for: it is taken with a later claim.
func (tx *Tx) ClaimCallbacks(owner string, ttl time.Duration, alone bool) ([]CallbackURL, error) {
	clock := tx.clockMS()
	if tx.postgres { // SQLite has one writer
		if err := tx.db.Exec("LOCK TABLE callback_leases IN SHARE ROW EXCLUSIVE MODE").Error; err != nil {
			return nil, err
		}
	}
	dead := "until_ms <= " + clock
	if alone {
		dead = "TRUE"
	}
	err := errors.Join(
		tx.db.Exec("DELETE FROM callback_leases WHERE owner <> ? AND "+dead, owner).Error,
		tx.db.Exec("INSERT INTO callback_leases (owner, until_ms) VALUES (?, "+clock+" + ?) ON CONFLICT (owner) DO UPDATE SET until_ms = EXCLUDED.until_ms",
			owner, ttl.Milliseconds()).Error,
	)
	if err != nil {
		return nil, err
	}
	skip := ""
	if tx.postgres {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	err = tx.db.Exec(`UPDATE callback_urls SET lease_owner = ?, lease_epoch = lease_epoch + 1 WHERE id IN (
		SELECT id FROM callback_urls WHERE lease_owner <> ? AND lease_owner NOT IN (SELECT owner FROM callback_leases)`+skip+")", owner, owner).Error
	if err != nil {
		return nil, err
	}
	var rows []CallbackURL
	return rows, tx.db.Omit("url", "secret", "old_secret", "options", "events", "lines", "chats", "former_chats").
		Where("lease_owner = ? AND enabled", owner).Order("id").Find(&rows).Error
}

// DropCallbackLease ends the lease of owner, so that another process can deliver at once.
func (tx *Tx) DropCallbackLease(owner string) error {
	return errors.Join(
		tx.db.Exec("DELETE FROM callback_leases WHERE owner = ?", owner).Error,
		tx.CallbacksChanged(),
	)
}

// SaveCallbackProgress writes how far the deliveries to a URL have got, if owner has
// delivered to it since that epoch and nobody has changed it since that generation.
func (tx *Tx) SaveCallbackProgress(id, generation, epoch int64, owner string, p CallbackProgress) (saved bool, err error) {
	res := tx.db.Model(&CallbackURL{}).Where("id = ? AND generation = ? AND lease_epoch = ? AND lease_owner = ?", id, generation, epoch, owner).
		Select("cursor_seq", "failures", "failing_since_ms", "next_at_ms", "last_error", "suspended_at", "lost_from", "lost_to", "lost_at",
			"cursor_part", "cursor_list", "head_tries", "head_since_ms", "given_up").
		Updates(&CallbackURL{CallbackProgress: p})
	return res.RowsAffected == 1, res.Error
}

// CallbackQuery selects events of the journal for a URL.
type CallbackQuery struct {
	CompanyID int64
	Channel   string   // only what is in it; empty: everything of the company
	Names     []string // empty: all
}

// listedEntry is true of an entry of a channel. What is removed with its line is of none,
// also before it is published and emptied: see ForgetJournalOf.
const listedEntry = "EXISTS (SELECT 1 FROM journal_channels AS l WHERE l.seq = j.seq)"

// callbackSpan is how many numbers of the journal one query looks through.
const callbackSpan = 5000

// CallbackEvents lists at most limit entries with numbers above after and up to upTo, in
// their order. It has looked as far as the number that it returns.
func (tx *Tx) CallbackEvents(q CallbackQuery, after, upTo int64, limit int) (rows []JournalEntry, seen int64, err error) {
	upTo = min(upTo, after+callbackSpan)
	find := tx.db.Table("journal AS j").Select("j.*")
	if q.Channel != "" {
		find = find.Joins("JOIN journal_channels AS c ON c.seq = j.seq").Where("c.channel = ? AND c.seq > ? AND c.seq <= ?", q.Channel, after, upTo).Order("c.seq")
	} else {
		find = find.Where("j.seq > ? AND j.seq <= ? AND j.company_id = ? AND "+listedEntry, after, upTo, q.CompanyID).Order("j.seq")
	}
	if len(q.Names) > 0 {
		find = find.Where("j.name IN ?", q.Names)
	}
	if err := find.Limit(limit).Scan(&rows).Error; err != nil {
		return nil, 0, err
	}
	if len(rows) == limit {
		upTo = *rows[limit-1].Seq
	}
	return rows, upTo, nil
}

// JournalHeads lists the entries with numbers above after and up to upTo, at most limit, in
// their order and without their data.
func (tx *Tx) JournalHeads(after, upTo int64, limit int) (rows []JournalEntry, err error) {
	return rows, tx.db.Select("id", "seq", "company_id", "name", "channels").Where("seq > ? AND seq <= ?", after, upTo).
		Order("seq").Limit(limit).Find(&rows).Error
}

// JournalEntry returns the entry with the number, or ErrNotFound, also when it was removed
// with its line.
func (tx *Tx) JournalEntry(seq int64) (*JournalEntry, error) {
	return first[JournalEntry](tx.db.Table("journal AS j").Where("j.seq = ? AND "+listedEntry, seq))
}

// KeepJournal returns the entries with these numbers as they are now, by number and without
// those that were removed with their line, and keeps them so until the transaction ends.
func (tx *Tx) KeepJournal(seqs []int64) (map[int64]JournalEntry, error) {
	find, kept := tx.db, map[int64]JournalEntry{}
	if tx.postgres { // SQLite has one writer
		find = find.Clauses(clause.Locking{Strength: "SHARE"})
	}
	var rows []JournalEntry
	if err := find.Where("seq IN ?", seqs).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	// A statement of its own, which sees what was removed while the one above waited.
	var listed []int64
	if err := tx.db.Raw("SELECT DISTINCT seq FROM journal_channels WHERE seq IN ?", seqs).Scan(&listed).Error; err != nil {
		return nil, err
	}
	for _, row := range rows {
		if slices.Contains(listed, *row.Seq) {
			kept[*row.Seq] = row
		}
	}
	return kept, nil
}

// JournalMerges lists the chatMerge entries of a channel of a company, in the order in which
// they were written, those without a number too.
func (tx *Tx) JournalMerges(companyID int64, channel string) (rows []JournalEntry, err error) {
	return rows, tx.journalMerges(companyID, channel).Scan(&rows).Error
}

func (tx *Tx) journalMerges(companyID int64, channel string) *gorm.DB {
	find := "instr"
	if tx.postgres {
		find = "strpos"
	}
	// The name is written as in the index.
	return tx.db.Table("journal AS j").Select("j.*").
		Where("j.name = 'chatMerge' AND j.company_id = ? AND "+find+"(j.channels, ?) > 0 AND (j.seq IS NULL OR "+listedEntry+")", companyID, `"`+channel+`"`).
		Order("j.id")
}

// JournalBefore returns the number of the last entry before the first one that is not
// older than a time, in unix milliseconds; that of the last one when all are. kept reports
// whether nothing that happened from that time on was removed from the journal's beginning.
func (tx *Tx) JournalBefore(ms int64) (seq int64, kept bool, err error) {
	err = errors.Join(
		tx.db.Raw(`SELECT COALESCE(
			(SELECT seq - 1 FROM journal WHERE seq IS NOT NULL AND created_at_ms >= ? ORDER BY seq LIMIT 1),
			(SELECT last_seq FROM journal_state WHERE id = 1))`, ms).Scan(&seq).Error,
		tx.db.Raw("SELECT created_at_ms < ? FROM journal_removed WHERE id = 1", ms).Scan(&kept).Error,
	)
	return seq, kept, err
}

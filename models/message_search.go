package models

import (
	"strings"

	"gorm.io/gorm"
)

// The index of messages is the table message_search: with FTS5 on SQLite, a tsvector with
// a GIN index on PostgreSQL. Both hold the words of indexWords and look for those of
// SearchWords, so neither needs to know a language. A message without words has no row,
// or one without words.

// MessageFilter selects messages. Zero fields do not narrow, except ViewerID, the line,
// Words and Limit, which must be set.
type MessageFilter struct {
	ViewerID      int64 // only messages of chats that this user may see
	LicenseID     int64
	MessengerType string
	ChatID        int64
	Words         []Word
	LastTime      *int64 // no message after it
	After         *TimeKey
	Limit         int
}

// readsLine begins a condition that a user may read a licence: bind the licence and the
// user. With it, SearchMessages says the same as visible; but it does not depend on the
// row, so the databases evaluate it once and not for each message.
const readsLine = `EXISTS (
	SELECT 1 FROM licenses l JOIN employees e ON e.company_id = l.company_id
	LEFT JOIN employee_licenses el ON el.user_id = e.user_id AND el.license_id = l.id
	WHERE l.id = ? AND e.user_id = ? AND (e.role IN ('owner', 'admin') OR el.user_id IS NOT NULL)`

// SearchMessages lists the messages that contain all the words, the newest first.
func (tx *Tx) SearchMessages(f MessageFilter) ([]*Message, error) {
	q := tx.db.Table("messages AS m").Select("m.*").Joins("JOIN chats c ON c.id = m.chat_id").
		Where("c.license_id = ? AND c.messenger_type = ? AND m.deleted_at IS NULL", f.LicenseID, f.MessengerType).
		Where(readsLine+")", f.LicenseID, f.ViewerID).
		Where("(c.responsible_id IS NULL OR c.responsible_id = ? OR "+readsLine+" AND (e.role IN ('owner', 'admin') OR NOT e.only_mine)))",
			f.ViewerID, f.LicenseID, f.ViewerID)
	if tx.postgres {
		q = q.Where("m.id IN (SELECT message_id FROM message_search WHERE words @@ CAST(? AS tsquery))", tsQuery(f.Words))
	} else {
		q = q.Where("m.id IN (SELECT rowid FROM message_search WHERE message_search MATCH ?)", ftsQuery(f.Words))
	}
	if f.ChatID != 0 {
		q = q.Where("m.chat_id = ?", f.ChatID)
	}
	if f.LastTime != nil {
		q = q.Where("m.time <= ?", *f.LastTime)
	}
	if f.After != nil {
		q = q.Where("(m.time, m.id) < (?, ?)", f.After.Time, f.After.ID)
	}
	var rows []*Message
	return rows, q.Order("m.time DESC, m.id DESC").Limit(f.Limit).Find(&rows).Error
}

// tsQuery and ftsQuery write words in the databases' languages. No word has a quote or a
// backslash in it.
func tsQuery(words []Word) string {
	return joinWords(words, " & ", "'", "':*")
}

func ftsQuery(words []Word) string {
	return joinWords(words, " AND ", `"`, `"*`)
}

// joinWords quotes the words; prefix ends the quotes of a word that may go on.
func joinWords(words []Word, and, quote, prefix string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(and)
		}
		b.WriteString(quote)
		b.WriteString(w.Text)
		if w.Prefix {
			b.WriteString(prefix)
		} else {
			b.WriteString(quote)
		}
	}
	return b.String()
}

// indexNew indexes a message that was just inserted.
func (tx *Tx) indexNew(id int64, text string) error {
	words := indexWords(text)
	if words == "" {
		return nil
	}
	return tx.insertWords(id, words, "")
}

// index replaces what is indexed of a message. On PostgreSQL a message without words gets
// a row too: it tells IndexOld that the message has changed meanwhile.
func (tx *Tx) index(id int64, text string) error {
	words := indexWords(text)
	if tx.postgres {
		return tx.insertWords(id, words, " ON CONFLICT (message_id) DO UPDATE SET words = EXCLUDED.words")
	}
	if err := tx.db.Exec("DELETE FROM message_search WHERE rowid = ?", id).Error; err != nil || words == "" {
		return err
	}
	return tx.insertWords(id, words, "")
}

func (tx *Tx) insertWords(id int64, words, conflict string) error {
	if tx.postgres {
		return tx.db.Exec("INSERT INTO message_search (message_id, words) VALUES (?, array_to_tsvector(string_to_array(?, ' ')))"+conflict, id, words).Error
	}
	return tx.db.Exec("INSERT INTO message_search (rowid, words) VALUES (?, ?)", id, words).Error
}

// UnindexedMessages returns how many messages of before the index may still wait for it:
// those whose row ids are not above the result.
func (tx *Tx) UnindexedMessages() (upTo int64, err error) {
	return upTo, tx.db.Raw("SELECT unindexed FROM search_state WHERE id = 1").Scan(&upTo).Error
}

// IndexOld indexes up to limit messages of before the index, the newest first. text
// returns what is searched of a message. It reports whether any are left.
func (tx *Tx) IndexOld(limit int, text func(*Message) string) (more bool, err error) {
	var upTo int64
	state := tx.forUpdate().Table("search_state").Select("unindexed").Where("id = 1") // one process at a time
	if err := state.Scan(&upTo).Error; err != nil || upTo == 0 {
		return false, err
	}
	var rows []*Message
	if err := tx.db.Where("id <= ?", upTo).Order("id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return false, err
	}
	for _, m := range rows {
		if tx.postgres { // a change of the message that committed first has indexed it
			err = tx.insertWords(m.ID, indexWords(text(m)), " ON CONFLICT (message_id) DO NOTHING")
		} else {
			err = tx.index(m.ID, text(m))
		}
		if err != nil {
			return false, err
		}
	}
	left := int64(0)
	if len(rows) == limit {
		left = rows[len(rows)-1].ID - 1
	}
	return left > 0, tx.db.Exec("UPDATE search_state SET unindexed = ? WHERE id = 1", left).Error
}

// BeforeSave implements gorm's hook: whatever writes a chat writes what is searched of it.
func (c *Chat) BeforeSave(*gorm.DB) error {
	c.Folded = foldedNames(c.Name, c.Phone, c.Username, c.ExternalID)
	return nil
}

// BeforeSave implements gorm's hook, see Chat.BeforeSave.
func (k *Contact) BeforeSave(*gorm.DB) error {
	k.Folded = foldedNames(k.Name, k.Phone, k.Username, k.ExternalID)
	return nil
}

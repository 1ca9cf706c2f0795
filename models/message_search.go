package models

import (
	"strings"

	"gorm.io/gorm"
)

// The index of messages is the table message_search: with FTS5 on SQLite, a tsvector with
// a GIN index on PostgreSQL. Both hold the words of indexWords and look for those of
// SearchWords, so neither needs to know a language. The words are those of a licence, so a
// search reads nothing of others. A message without words has no row, or one without words.

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

// keyReadsLine is the condition that a key may read a line: bind the licence, the messenger
// and the key's user. As readsLine, it does not depend on the row.
const keyReadsLine = `EXISTS (
	SELECT 1 FROM licenses l JOIN api_keys k ON k.company_id = l.company_id
	WHERE l.id = ? AND (k.license_id IS NULL OR k.license_id = l.id AND k.messenger = ?) AND k.user_id = ? AND k.can_read)`

// SearchMessages lists the messages that contain all the words, the newest first.
//
// The index is read first, then the rows that it names, then their chats by their keys. A
// planner cannot estimate how many messages have the words, and would rather read all
// messages of the line, or the index once for each chat. So it gets no joins to arrange:
// the row ids are an array on PostgreSQL, the rows a table, and the chat a scalar.
func (tx *Tx) SearchMessages(f MessageFilter) ([]*Message, error) {
	found := tx.db.Table("messages").Select("id", "chat_id", "time").Where("deleted_at IS NULL")
	if tx.postgres {
		found = found.Where("id = ANY (ARRAY(SELECT message_id FROM message_search WHERE words @@ CAST(? AS tsquery)))", tsQuery(f.LicenseID, f.Words))
	} else {
		found = found.Where("id IN (SELECT rowid FROM message_search WHERE message_search MATCH ?)", ftsQuery(f.LicenseID, f.Words))
	}
	if f.ChatID != 0 {
		found = found.Where("chat_id = ?", f.ChatID)
	}
	if f.LastTime != nil {
		found = found.Where("time <= ?", *f.LastTime)
	}
	if f.After != nil {
		found = found.Where("(time, id) < (?, ?)", f.After.Time, f.After.ID)
	}
	var rows []*Message
	return rows, tx.db.Raw(`WITH found AS MATERIALIZED (?) SELECT * FROM messages WHERE id IN (
			SELECT f.id FROM found f WHERE (`+readsLine+`) OR `+keyReadsLine+`)
			AND (SELECT c.license_id = ? AND c.messenger_type = ? AND (`+mine+` OR `+readsLine+`
				AND (e.role IN ('owner', 'admin') OR NOT e.only_mine)) OR `+keyReadsLine+`) FROM chats c WHERE c.id = f.chat_id)
			ORDER BY f.time DESC, f.id DESC LIMIT ?
		) ORDER BY time DESC, id DESC`,
		found, f.LicenseID, f.ViewerID, f.LicenseID, f.MessengerType, f.ViewerID, f.LicenseID, f.MessengerType, f.ViewerID, f.ViewerID,
		f.LicenseID, f.ViewerID, f.LicenseID, f.MessengerType, f.ViewerID, f.Limit).Scan(&rows).Error
}

// tsQuery and ftsQuery write words in the databases' languages. No word has a quote or a
// backslash in it.
func tsQuery(licenseID int64, words []Word) string {
	return joinWords(licenseID, words, " & ", "'", "':*")
}

func ftsQuery(licenseID int64, words []Word) string {
	return joinWords(licenseID, words, " AND ", `"`, `"*`)
}

// joinWords quotes the words of a licence; prefix ends the quotes of a word that may go on.
func joinWords(licenseID int64, words []Word, and, quote, prefix string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(and)
		}
		b.WriteString(quote)
		b.WriteString(ofLicense(licenseID))
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
func (tx *Tx) indexNew(licenseID, id int64, text string) error {
	words := indexWords(licenseID, text)
	if words == "" {
		return nil
	}
	return tx.insertWords(id, words, "")
}

// index replaces what is indexed of a message. On PostgreSQL a message without words gets
// a row too: it tells IndexOld that the message has changed meanwhile.
func (tx *Tx) index(licenseID, id int64, text string) error {
	words := indexWords(licenseID, text)
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
	var rows []struct {
		Message
		LicenseID int64
	}
	// In one statement: when chats are merged between two, the message's is gone.
	q := tx.db.Table("messages AS m").Select("m.*, c.license_id").Joins("JOIN chats c ON c.id = m.chat_id").Where("m.id <= ?", upTo)
	if err := q.Order("m.id DESC").Limit(limit).Scan(&rows).Error; err != nil {
		return false, err
	}
	for i := range rows {
		m, licenseID := &rows[i].Message, rows[i].LicenseID
		if tx.postgres { // a change of the message that committed first has indexed it
			err = tx.insertWords(m.ID, indexWords(licenseID, text(m)), " ON CONFLICT (message_id) DO NOTHING")
		} else {
			err = tx.index(licenseID, m.ID, text(m))
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
	c.Folded = foldedNames(c.Name, c.MessengerName, c.Phone, c.Username, c.TypedID, c.ExternalID)
	return nil
}

// BeforeSave implements gorm's hook, see Chat.BeforeSave.
func (k *Contact) BeforeSave(*gorm.DB) error {
	k.Folded = foldedNames(k.Name, k.MessengerName, k.Phone, k.Username, nil, k.ExternalID)
	return nil
}

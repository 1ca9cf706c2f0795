package models

import "strings"

// FoldOld writes the folded names of up to limit chats, or contacts when all chats are
// done, that are older than the column, the newest first. It reports whether any are left.
func (tx *Tx) FoldOld(limit int) (more bool, err error) {
	var upTo struct{ UnfoldedChats, UnfoldedContacts int64 }
	state := tx.forUpdate().Table("search_state").Where("id = 1") // one process at a time
	if err := state.Scan(&upTo).Error; err != nil {
		return false, err
	}
	switch {
	case upTo.UnfoldedChats > 0:
		left, err := tx.foldOld("chats", upTo.UnfoldedChats, limit)
		return left > 0 || upTo.UnfoldedContacts > 0, err
	case upTo.UnfoldedContacts > 0:
		left, err := tx.foldOld("contacts", upTo.UnfoldedContacts, limit)
		return left > 0, err
	}
	return false, nil
}

// UnfoldedNames reports whether FoldOld has anything to do.
func (tx *Tx) UnfoldedNames() (some bool, err error) {
	return some, tx.db.Raw("SELECT unfolded_chats > 0 OR unfolded_contacts > 0 FROM search_state WHERE id = 1").Scan(&some).Error
}

// foldOld is FoldOld of one table. It returns the highest id of the rows that are left, 0
// if there are none. A change that was faster has folded its row, and keeps what it wrote.
func (tx *Tx) foldOld(table string, upTo int64, limit int) (left int64, err error) {
	var rows []struct {
		ID              int64
		Name            string
		MessengerName   *string
		Phone, Username *string
		ExternalID      string
		TypedID         *string
	}
	typed := "NULL"
	if table == "chats" {
		typed = "typed_id"
	}
	err = tx.db.Raw("SELECT id, name, messenger_name, phone, username, external_id, "+typed+" AS typed_id FROM "+table+" WHERE id <= ? ORDER BY id DESC LIMIT ?", upTo, limit).Scan(&rows).Error
	if err != nil {
		return 0, err
	}
	var values []string
	var args []any
	for _, r := range rows {
		values = append(values, "(CAST(? AS BIGINT), CAST(? AS TEXT))")
		args = append(args, r.ID, foldedNames(r.Name, r.MessengerName, r.Phone, r.Username, r.TypedID, r.ExternalID))
	}
	if len(values) > 0 {
		err = tx.db.Exec("UPDATE "+table+" SET folded = v.column2 FROM (VALUES "+strings.Join(values, ", ")+") AS v "+
			"WHERE "+table+".id = v.column1 AND "+table+".folded = ''", args...).Error
		if err != nil {
			return 0, err
		}
	}
	if len(rows) == limit {
		left = rows[len(rows)-1].ID - 1
	}
	return left, tx.db.Exec("UPDATE search_state SET unfolded_"+table+" = ? WHERE id = 1", left).Error
}

package models

import "gorm.io/gorm/clause"

// QuickList is a list as one user sees it.
type QuickList struct {
	QuickResponseList `gorm:"embedded"`
	Permission        string // the user's: r or w
}

// quickLists selects lists with the user's permission, while they work for the
// list's company.
const quickLists = `SELECT q.*, a.permission FROM quick_response_lists q
	JOIN quick_response_accesses a ON a.list_id = q.id AND a.user_id = ?
	JOIN employees e ON e.company_id = q.company_id AND e.user_id = a.user_id `

// QuickLists lists the lists that the user may see, in one company or in all (companyID
// 0).
func (tx *Tx) QuickLists(userID, companyID int64, after *SortKey, limit int) ([]QuickList, error) {
	where, args := "WHERE 1 = 1", []any{userID}
	if companyID != 0 {
		where, args = where+" AND q.company_id = ?", append(args, companyID)
	}
	if after != nil {
		where, args = where+" AND (q.sort, q.id) > (?, ?)", append(args, after.Sort, after.ID)
	}
	var lists []QuickList
	return lists, tx.db.Raw(quickLists+where+" ORDER BY q.sort, q.id LIMIT ?", append(args, limit)...).Scan(&lists).Error
}

// QuickList returns a list that the user may see, or ErrNotFound.
func (tx *Tx) QuickList(userID, id int64) (*QuickList, error) {
	var lists []QuickList
	err := tx.db.Raw(quickLists+"WHERE q.id = ?", userID, id).Scan(&lists).Error
	if err == nil && len(lists) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &lists[0], nil
}

// LockQuickList keeps others that lock the list too from changing it, its accesses and
// its responses until the transaction ends.
func (tx *Tx) LockQuickList(id int64) error {
	_, err := first[QuickResponseList](tx.forUpdate().Where("id = ?", id))
	return err
}

// CreateQuickList inserts l and sets its ID when that is 0.
func (tx *Tx) CreateQuickList(l *QuickResponseList) error { return tx.create(l) }

// SaveQuickList writes the fields of a list that may change.
func (tx *Tx) SaveQuickList(l *QuickResponseList) error {
	return tx.db.Model(l).Select("name", "sort").Updates(l).Error
}

// DeleteQuickList deletes a list with its accesses and responses.
func (tx *Tx) DeleteQuickList(id int64) error {
	return tx.db.Delete(&QuickResponseList{}, id).Error
}

// QuickAccess is a user's access to a list, with their e-mail.
type QuickAccess struct {
	ListID     int64
	UserID     int64
	Email      string
	Permission string
}

// QuickAccesses lists the accesses of the users who may see the lists and work for
// their company. It orders them by list, the creator first, then by user id.
func (tx *Tx) QuickAccesses(listIDs ...int64) ([]QuickAccess, error) {
	if len(listIDs) == 0 {
		return nil, nil
	}
	var rows []QuickAccess
	return rows, tx.db.Raw(`
		SELECT a.list_id, a.user_id, u.email, a.permission FROM quick_response_accesses a
		JOIN quick_response_lists q ON q.id = a.list_id
		JOIN employees e ON e.company_id = q.company_id AND e.user_id = a.user_id
		JOIN users u ON u.id = a.user_id
		WHERE a.list_id IN ?
		ORDER BY a.list_id, CASE WHEN a.user_id = q.created_by THEN 0 ELSE 1 END, a.user_id`, listIDs).Scan(&rows).Error
}

// SetQuickAccesses replaces the accesses of the list.
func (tx *Tx) SetQuickAccesses(listID int64, accesses []QuickResponseAccess) error {
	if err := tx.db.Where("list_id = ?", listID).Delete(&QuickResponseAccess{}).Error; err != nil {
		return err
	}
	if len(accesses) == 0 {
		return nil
	}
	return tx.db.Create(&accesses).Error
}

// QuickResponses lists the responses of a list.
func (tx *Tx) QuickResponses(listID int64, after *SortKey, limit int) ([]QuickResponse, error) {
	var rows []QuickResponse
	return rows, bySort(tx.db.Where("list_id = ?", listID), after, limit).Find(&rows).Error
}

// QuickResponse returns a response of the list, or ErrNotFound.
func (tx *Tx) QuickResponse(listID, id int64) (*QuickResponse, error) {
	return first[QuickResponse](tx.db.Where("id = ? AND list_id = ?", id, listID))
}

// QuickResponseParents returns the parent of every response of the list, by id;
// 0 is none.
func (tx *Tx) QuickResponseParents(listID int64) (map[int64]int64, error) {
	var rows []struct{ ID, ParentID int64 }
	err := tx.db.Raw("SELECT id, COALESCE(parent_id, 0) AS parent_id FROM quick_responses WHERE list_id = ?", listID).Scan(&rows).Error
	parents := make(map[int64]int64, len(rows))
	for _, r := range rows {
		parents[r.ID] = r.ParentID
	}
	return parents, err
}

// CreateQuickResponse inserts r and sets its ID when that is 0.
func (tx *Tx) CreateQuickResponse(r *QuickResponse) error { return tx.create(r) }

// SaveQuickResponse writes the fields of a response that may change.
func (tx *Tx) SaveQuickResponse(r *QuickResponse) error {
	return tx.db.Model(r).Select("parent_id", "name", "sort", "text", "keywords", "enable_ai").Updates(r).Error
}

// OrphanQuickResponses moves the children of the responses to the top, except those
// that are among the responses, and returns the moved ones.
func (tx *Tx) OrphanQuickResponses(listID int64, ids []int64) ([]QuickResponse, error) {
	var moved []QuickResponse
	res := tx.db.Model(&moved).Clauses(clause.Returning{}).
		Where("list_id = ? AND parent_id IN ? AND id NOT IN ?", listID, ids, ids).
		Update("parent_id", nil)
	return moved, res.Error
}

// DeleteQuickResponses deletes the responses of the list and returns how many it
// deleted.
func (tx *Tx) DeleteQuickResponses(listID int64, ids []int64) (int64, error) {
	res := tx.db.Where("list_id = ? AND id IN ?", listID, ids).Delete(&QuickResponse{})
	return res.RowsAffected, res.Error
}

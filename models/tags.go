package models

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// SortKey is a position in a list ordered by sort, then id.
type SortKey struct {
	Sort int64
	ID   int64
}

// bySort orders q by sort and id, and limits it to at most limit rows after a position.
func bySort(q *gorm.DB, after *SortKey, limit int) *gorm.DB {
	if after != nil {
		q = q.Where("(sort, id) > (?, ?)", after.Sort, after.ID)
	}
	return q.Order("sort, id").Limit(limit)
}

// forShare keeps others from changing the selected rows until the transaction ends, but
// lets them do the same. SQLite has one writer and needs no row locks.
func (tx *Tx) forShare() *gorm.DB {
	if !tx.postgres {
		return tx.db
	}
	return tx.db.Clauses(clause.Locking{Strength: "SHARE"})
}

// Tags lists the company's tags, or those of one category when categoryID is set.
func (tx *Tx) Tags(companyID int64, categoryID *int64, after *SortKey, limit int) ([]Tag, error) {
	q := tx.db.Where("company_id = ?", companyID)
	if categoryID != nil {
		q = q.Where("category_id = ?", *categoryID)
	}
	var tags []Tag
	return tags, bySort(q, after, limit).Find(&tags).Error
}

// Tag returns a tag, or ErrNotFound.
func (tx *Tx) Tag(id int64) (*Tag, error) {
	return first[Tag](tx.db.Where("id = ?", id))
}

// HoldTag is Tag, but also keeps others from changing or deleting the tag until the
// transaction ends. Others may hold it too.
func (tx *Tx) HoldTag(id int64) (*Tag, error) {
	return first[Tag](tx.forShare().Where("id = ?", id))
}

// LockTag returns a tag, or ErrNotFound, and keeps others from changing it or putting
// it on a chat until the transaction ends.
func (tx *Tx) LockTag(id int64) (*Tag, error) {
	return first[Tag](tx.forUpdate().Where("id = ?", id))
}

// CreateTag inserts t and sets its ID when that is 0.
func (tx *Tx) CreateTag(t *Tag) error { return tx.create(t) }

// SaveTag writes the fields of a tag that may change.
func (tx *Tx) SaveTag(t *Tag) error {
	return tx.db.Model(t).Select("category_id", "name", "color", "sort").Updates(t).Error
}

// DeleteTag deletes a tag, and takes it off the chats that still have it.
func (tx *Tx) DeleteTag(id int64) error { return tx.db.Delete(&Tag{}, id).Error }

// TagCategories lists the company's tag categories.
func (tx *Tx) TagCategories(companyID int64, after *SortKey, limit int) ([]TagCategory, error) {
	var categories []TagCategory
	return categories, bySort(tx.db.Where("company_id = ?", companyID), after, limit).Find(&categories).Error
}

// TagCategory returns a category, or ErrNotFound.
func (tx *Tx) TagCategory(id int64) (*TagCategory, error) {
	return first[TagCategory](tx.db.Where("id = ?", id))
}

// HoldTagCategory is TagCategory, but also keeps others from changing or deleting the
// category until the transaction ends. Others may hold it too.
func (tx *Tx) HoldTagCategory(id int64) (*TagCategory, error) {
	return first[TagCategory](tx.forShare().Where("id = ?", id))
}

// TagCategoriesByID returns the categories with these ids, as far as they exist, by id.
func (tx *Tx) TagCategoriesByID(ids []int64) (map[int64]TagCategory, error) {
	return byID(tx, ids, func(c TagCategory) int64 { return c.ID })
}

// LockTagCategory returns a category, or ErrNotFound, and keeps others from
// changing it until the transaction ends.
func (tx *Tx) LockTagCategory(id int64) (*TagCategory, error) {
	return first[TagCategory](tx.forUpdate().Where("id = ?", id))
}

// CreateTagCategory inserts t and sets its ID when that is 0.
func (tx *Tx) CreateTagCategory(t *TagCategory) error { return tx.create(t) }

// SaveTagCategory writes the fields of a category that may change.
func (tx *Tx) SaveTagCategory(t *TagCategory) error {
	return tx.db.Model(t).Select("name", "sort").Updates(t).Error
}

// DeleteTagCategory deletes a category. Its tags stay, without a category.
func (tx *Tx) DeleteTagCategory(id int64) error { return tx.db.Delete(&TagCategory{}, id).Error }

// TagOfChat is a tag on a chat.
type TagOfChat struct {
	ChatID int64
	Tag    Tag `gorm:"embedded"`
}

// TagsOfChats lists the tags of the chats, by chat, then by sort and id.
func (tx *Tx) TagsOfChats(chatIDs []int64) ([]TagOfChat, error) {
	if len(chatIDs) == 0 {
		return nil, nil
	}
	var rows []TagOfChat
	err := tx.db.Raw(`
		SELECT ct.chat_id, t.id, t.company_id, t.category_id, t.name, t.color, t.sort
		FROM chat_tags ct JOIN tags t ON t.id = ct.tag_id
		WHERE ct.chat_id IN ? ORDER BY ct.chat_id, t.sort, t.id`, chatIDs).Scan(&rows).Error
	return rows, err
}

// AddChatTag puts the tag on the chat. It returns false when the chat had it already.
func (tx *Tx) AddChatTag(chatID, tagID int64) (added bool, err error) {
	return tx.createNew(&ChatTag{ChatID: chatID, TagID: tagID})
}

// RemoveChatTag takes the tag off the chat. It returns false when the chat did not have
// it.
func (tx *Tx) RemoveChatTag(chatID, tagID int64) (removed bool, err error) {
	res := tx.db.Where("chat_id = ? AND tag_id = ?", chatID, tagID).Delete(&ChatTag{})
	return res.RowsAffected > 0, res.Error
}

// createNew inserts row unless its key exists, and reports whether it did.
func (tx *Tx) createNew(row any) (created bool, err error) {
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(row)
	return res.RowsAffected > 0, res.Error
}

// LockChatsWithTag locks up to limit of the chats that have the tag, by id. A chat may
// have lost the tag by the time it is locked.
func (tx *Tx) LockChatsWithTag(tagID int64, limit int) ([]Chat, error) {
	var chats []Chat
	return chats, tx.forUpdate().
		Where("id IN (SELECT chat_id FROM chat_tags WHERE tag_id = ?)", tagID).
		Order("id").Limit(limit).Find(&chats).Error
}

// TagInUse reports whether any chat has the tag.
func (tx *Tx) TagInUse(tagID int64) (bool, error) {
	var used bool
	return used, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM chat_tags WHERE tag_id = ?)", tagID).Scan(&used).Error
}

// TagNamed finds the first tag of the company with the name, or ErrNotFound.
func (tx *Tx) TagNamed(companyID int64, name string) (*Tag, error) {
	return first[Tag](tx.forUpdate().Where("company_id = ? AND name = ?", companyID, name).Order("id"))
}

// LineLabel finds and locks a label of a line, or returns ErrNotFound.
func (tx *Tx) LineLabel(licenseID int64, messengerType, label string) (*LineLabel, error) {
	return first[LineLabel](tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND label = ?", licenseID, messengerType, label))
}

// AddLineLabel inserts l, or returns ErrDuplicate when the line has the label.
func (tx *Tx) AddLineLabel(l *LineLabel) error { return tx.create(l) }

// DeleteLineLabel deletes l.
func (tx *Tx) DeleteLineLabel(l *LineLabel) error { return tx.db.Delete(l).Error }

// LockLineChatsWithTag locks the chats of a line that have the tag, by id.
func (tx *Tx) LockLineChatsWithTag(licenseID int64, messengerType string, tagID int64) ([]*Chat, error) {
	var chats []*Chat
	return chats, tx.forUpdate().
		Where("license_id = ? AND messenger_type = ? AND id IN (SELECT chat_id FROM chat_tags WHERE tag_id = ?)", licenseID, messengerType, tagID).
		Order("id").Find(&chats).Error
}

// LabelsOfTag counts the labels that the tag represents.
func (tx *Tx) LabelsOfTag(tagID int64) (n int64, err error) {
	return n, tx.db.Model(&LineLabel{}).Where("tag_id = ?", tagID).Count(&n).Error
}

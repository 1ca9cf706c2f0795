package models

import "errors"

// LineNode is a process that serves lines of one messenger type. While it has its row, the
// lines that it leases are its own.
type LineNode struct {
	Name    string `gorm:"primaryKey"`
	Type    string // of the messenger
	Beat    int64  // changes as long as the process lives
	Leaving bool   // it gives its lines away
}

// TableName returns the table's name.
func (LineNode) TableName() string { return "line_nodes" }

// BeatLineNode shows that a process lives. kept is false when it had no row, and has one
// now: the lines that it leased may be those of others.
func (tx *Tx) BeatLineNode(name, messengerType string, leaving bool) (kept bool, err error) {
	res := tx.db.Exec("UPDATE line_nodes SET beat = beat + 1, leaving = ? WHERE name = ?", leaving, name)
	if res.Error != nil || res.RowsAffected == 1 {
		return true, res.Error
	}
	return false, tx.db.Exec("INSERT INTO line_nodes (name, type, beat, leaving) VALUES (?, ?, 1, ?)", name, messengerType, leaving).Error
}

// LineNodes lists the processes that serve lines of a messenger type.
func (tx *Tx) LineNodes(messengerType string) (list []LineNode, err error) {
	return list, tx.db.Where("type = ?", messengerType).Order("name").Find(&list).Error
}

// LineNode loads a process, or returns ErrNotFound.
func (tx *Tx) LineNode(name string) (*LineNode, error) {
	return first[LineNode](tx.db.Where("name = ?", name))
}

// RemoveLineNode removes a process unless its beat is another one now, and frees the lines
// that it leased. A process that beats meanwhile stays: its transaction has the row.
func (tx *Tx) RemoveLineNode(name string, beat int64) (removed bool, err error) {
	res := tx.db.Exec("DELETE FROM line_nodes WHERE name = ? AND beat = ?", name, beat)
	if res.Error != nil || res.RowsAffected == 0 {
		return false, res.Error
	}
	return true, tx.freeLines(name)
}

// DropLineNode removes a process, and frees the lines that it leased.
func (tx *Tx) DropLineNode(name string) error {
	return errors.Join(tx.db.Exec("DELETE FROM line_nodes WHERE name = ?", name).Error, tx.freeLines(name))
}

// freeLines ends the leases of all lines of an owner.
func (tx *Tx) freeLines(owner string) error {
	return errors.Join(
		tx.db.Exec("UPDATE messenger_sessions SET lease_owner = '', lease_until_ms = 0 WHERE lease_owner = ?", owner).Error,
		tx.NotifyLines(LineNews{What: NewsNodes}),
	)
}

package models

import (
	"errors"
	"time"

	"chatcast/models/seal"
)

// States of a LineCall. Only the process that is asked changes it, and only once to begun:
// so a call is made at most once.
const (
	CallWaiting  = "waiting"
	CallBegun    = "begun"
	CallMoved    = "moved" // the process that was asked does not serve the line any more
	CallAnswered = "answered"
)

// LineCall is what a process asks the one that serves a line.
type LineCall struct {
	ID            string `gorm:"primaryKey"`
	Node          string // the process that serves the line
	Caller        string // the process that asks; empty: it wants no answer
	LicenseID     int64
	MessengerType string
	Method        string
	Request       string // JSON
	State         string
	Answer        string // JSON
	DeadlineMS    int64  `gorm:"column:deadline_ms"`
}

// TableName returns the table's name.
func (LineCall) TableName() string { return "line_calls" }

// What is asked and answered may hold codes to pair a line with.
var (
	callRequest = seal.Column{Table: "line_calls", Name: "request", Key: []string{"id"}, Text: true}
	callAnswer  = seal.Column{Table: "line_calls", Name: "answer", Key: []string{"id"}, Text: true}
)

// AddLineCall inserts a call that waits, and sets its deadline. The commit wakes the process
// that is asked. It returns ErrNotFound when that process does not live.
func (tx *Tx) AddLineCall(c *LineCall, within time.Duration) error {
	if _, err := tx.LineNode(c.Node); err != nil {
		return err
	}
	now, err := tx.NowMS()
	if err != nil {
		return err
	}
	if err := tx.claimKeys(); err != nil {
		return err
	}
	c.State, c.DeadlineMS = CallWaiting, now+within.Milliseconds()
	row := *c
	row.Request = tx.seal(callRequest, c.Request, c.ID)
	return errors.Join(tx.create(&row), tx.NotifyLines(LineNews{What: NewsCall, Node: c.Node}))
}

// LineCallsWait reports whether calls wait for a process.
func (tx *Tx) LineCallsWait(node string) (wait bool, err error) {
	return wait, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM line_calls WHERE node = ? AND state = ?)", node, CallWaiting).Scan(&wait).Error
}

// TakeLineCalls begins at most limit calls that wait for a process, and returns them, the
// oldest deadlines first, with the time of the database. At most ofLine calls of one line
// are under way at once. Those whose lines the process does not lease any more are moved, and
// their callers are woken.
func (tx *Tx) TakeLineCalls(node string, limit, ofLine int) (taken []LineCall, nowMS int64, err error) {
	if nowMS, err = tx.NowMS(); err != nil {
		return nil, 0, err
	}
	var found []LineCall
	err = tx.forUpdate().Where("node = ? AND state = ? AND deadline_ms > ?", node, CallWaiting, nowMS).
		Where(`id IN (SELECT id FROM (
			SELECT id, ROW_NUMBER() OVER (PARTITION BY license_id, messenger_type ORDER BY state, deadline_ms, id) AS place
			FROM line_calls WHERE node = ? AND state IN (?, ?) AND deadline_ms > ?) c WHERE c.place <= ?)`, // "begun" is before "waiting"
			node, CallBegun, CallWaiting, nowMS, ofLine).
		Order("deadline_ms, id").Limit(limit).Find(&found).Error
	if err != nil {
		return nil, 0, err
	}
	for _, c := range found {
		line, err := tx.MessengerSession(c.LicenseID, c.MessengerType)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, 0, err
		}
		if err == nil && line.LeaseOwner == node {
			c.State = CallBegun
			if err := tx.open(callRequest, &c.Request, c.ID); err != nil {
				return nil, 0, err
			}
			taken = append(taken, c)
		} else {
			c.State = CallMoved
			if err := tx.wakeCaller(&c); err != nil {
				return nil, 0, err
			}
		}
		if err := tx.db.Exec("UPDATE line_calls SET state = ? WHERE id = ?", c.State, c.ID).Error; err != nil {
			return nil, 0, err
		}
	}
	return taken, nowMS, nil
}

// AnswerLineCall stores the answer to a call that was begun, and wakes its caller. One that
// nobody waits for is removed.
func (tx *Tx) AnswerLineCall(c *LineCall) error {
	if c.Caller == "" {
		return tx.db.Exec("DELETE FROM line_calls WHERE id = ?", c.ID).Error
	}
	if err := tx.claimKeys(); err != nil {
		return err
	}
	res := tx.db.Exec("UPDATE line_calls SET state = ?, answer = ? WHERE id = ? AND state = ?", CallAnswered, tx.seal(callAnswer, c.Answer, c.ID), c.ID, CallBegun)
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error // the caller waits no longer
	}
	return tx.wakeCaller(c)
}

func (tx *Tx) wakeCaller(c *LineCall) error {
	if c.Caller == "" {
		return nil
	}
	return tx.NotifyLines(LineNews{What: NewsAnswer, Node: c.Caller, Call: c.ID})
}

// LineCallOver reports whether nothing more is to be expected of a call: it was answered or
// moved, it is late, or the process that was asked does not live any more. A call that is
// not there is over.
func (tx *Tx) LineCallOver(id string) (over bool, err error) {
	err = tx.db.Raw(`SELECT NOT EXISTS (SELECT 1 FROM line_calls c WHERE c.id = ? AND c.state IN (?, ?)
		AND c.deadline_ms > `+tx.clockMS()+` AND EXISTS (SELECT 1 FROM line_nodes n WHERE n.name = c.node))`,
		id, CallWaiting, CallBegun).Scan(&over).Error
	return over, err
}

// DropLineCall removes a call, and returns it as it was. Nobody begins or answers it
// afterwards. It returns ErrNotFound when it was not there.
func (tx *Tx) DropLineCall(id string) (*LineCall, error) {
	var rows []LineCall
	if err := tx.db.Raw("DELETE FROM line_calls WHERE id = ? RETURNING *", id).Scan(&rows).Error; err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrNotFound
	}
	c := rows[0]
	if c.Answer == "" {
		return &c, nil
	}
	return &c, tx.open(callAnswer, &c.Answer, id)
}

// SweepLineCalls removes what callers that have died left behind: calls whose deadline
// was over for that time.
func (tx *Tx) SweepLineCalls(after time.Duration) error {
	return tx.db.Exec("DELETE FROM line_calls WHERE deadline_ms < "+tx.clockMS()+" - ?", after.Milliseconds()).Error
}

package crm

import (
	"chatcast/models"
)

// setStatus sets the status of a message of ours and emits messageStatus.
func (c *change) setStatus(v renderer, chat *models.Chat, row *models.Message, status string, at int64, violation *string) error {
	arrived := statusRank[row.Status] < statusRank[models.StatusDelivered] && statusRank[status] >= statusRank[models.StatusDelivered]
	row.Status, row.StatusTime, row.Error = status, &at, violation
	if err := c.tx.SaveMessage(row); err != nil {
		return err
	}
	if arrived {
		if err := c.countDelivered(v.line, row.ID); err != nil {
			return err
		}
	}
	return c.emitChat(chat, EventMessageStatus, v.statusItem(row, chat))
}

// setPlayed notes that a viewed message of ours was listened to or watched, and emits
// messageStatus once more: its contract has no type for that.
func (c *change) setPlayed(v renderer, chat *models.Chat, row *models.Message, at int64) error {
	row.Played, row.StatusTime = true, &at
	if err := c.tx.SaveMessage(row); err != nil {
		return err
	}
	return c.emitChat(chat, EventMessageStatus, v.statusItem(row, chat))
}

// statusRank is the order of a message's statuses. Failed comes before delivered,
// because a delivered message has not failed.
var statusRank = map[string]int{
	models.StatusNone: 0, models.StatusSent: 1, models.StatusFailed: 2, models.StatusDelivered: 3, models.StatusViewed: 4,
}

// advances reports whether a message with the status from may get the status to. A
// status never goes back, and failed is final.
func advances(from, to string) bool {
	return from != models.StatusFailed && statusRank[to] > statusRank[from]
}

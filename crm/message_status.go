package crm

import (
	"chatcast/models"
)

// setStatus moves a message of ours on and tells of it.
func (c *change) setStatus(v renderer, chat *models.Chat, row *models.Message, status string, at int64, violation *string) error {
	row.Status, row.StatusTime, row.Error = status, &at, violation
	if err := c.tx.SaveMessage(row); err != nil {
		return err
	}
	return c.emitChat(chat, EventMessageStatus, v.statusItem(row, chat))
}

// statusRank is the order of a message's statuses. Failed comes before
// delivered: what was delivered has not failed.
var statusRank = map[string]int{
	models.StatusNone: 0, models.StatusSent: 1, models.StatusFailed: 2, models.StatusDelivered: 3, models.StatusViewed: 4,
}

// advances says whether a message in the status from may get the status to: a
// status never goes back, and failed is final.
func advances(from, to string) bool {
	return from != models.StatusFailed && statusRank[to] > statusRank[from]
}

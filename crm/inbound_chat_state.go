package crm

import (
	"errors"
	"math"

	"chatcast/models"
)

// applyRead marks as read the messages that the account read on another device.
func (c *change) applyRead(chats *chatSet, r *readArrival) (string, error) {
	chat := chats.find(r.chat)
	if chat == nil {
		return ResultUnknown, nil
	}
	if chat.Unread == 0 {
		return ResultUnchanged, nil
	}
	until := models.TimeKey{Time: r.time, ID: math.MaxInt64}
	if r.upTo != "" {
		row, err := c.tx.MessageByExternal(chat.ID, r.upTo)
		if err == nil {
			until = models.TimeKey{Time: row.Time, ID: row.ID}
		} else if !errors.Is(err, models.ErrNotFound) {
			return "", err
		}
	}
	left, err := c.tx.CountReceived(chat.ID, until)
	if err != nil || left >= chat.Unread {
		return ResultUnchanged, err
	}
	chat.Unread = left
	if err := c.tx.SaveChat(chat); err != nil || left > 0 {
		return ResultAccepted, err
	}
	return ResultAccepted, c.emitChat(chat, EventChatRead, ChatReadItem{Chat: ChatRef{ID: chat.ExternalID}})
}

// applyGone tells dialects that the account's owner deleted a chat on the phone. The company keeps
// it, with its messages.
func (c *change) applyGone(l *line, chats *chatSet, in *inboundChat) {
	if chat := chats.find(*in); chat != nil {
		c.emitToDialects(l.companyID, Line{LicenseID: l.licenseID, Messenger: l.messenger}, EventChatGone, ChatGoneItem{Chat: chatCard(chat), Time: c.now.Unix()})
	}
}

// applyArchive closes or opens a chat.
func (c *change) applyArchive(chats *chatSet, a *archiveArrival) (string, error) {
	chat := chats.find(a.chat)
	if chat == nil {
		return ResultUnknown, nil
	}
	status := models.ChatOpen
	if a.archived {
		status = models.ChatClose
	}
	if chat.Status == status {
		return ResultUnchanged, nil
	}
	return ResultAccepted, c.setChatStatus(Actor{}, chat, status)
}

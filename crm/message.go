package crm

import (
	"errors"

	"chatcast/models"
)

// record adds a message to a chat whose row is locked. It emits the event message,
// reopens a closed chat when the customer writes, and opens a conversation window. For
// a history message it does none of these. It reports whether the message is new; a
// second copy changes nothing. It saves the chat's row.
func (c *change) record(v renderer, chat *models.Chat, m *models.Message) (added bool, err error) {
	m.CreatedAt = c.now.Unix()
	text, err := searchText(m)
	if err != nil {
		return false, err
	}
	if added, err = c.tx.AddMessage(chat, m, text); err != nil || !added {
		return false, err
	}
	newest := m.Time >= chat.LastTime
	chat.LastTime = max(chat.LastTime, m.Time)
	if c.quiet {
		return true, c.tx.SaveChat(chat)
	}
	reopens := !m.FromMe && newest && chat.Status == models.ChatClose
	if reopens {
		chat.Status = models.ChatOpen
	}
	if !m.FromMe {
		chat.Unread++
	}
	opens := openWindow(chat, m)
	if err := c.tx.SaveChat(chat); err != nil {
		return false, err
	}
	if err := c.emitMessage(v, chat, m); err != nil {
		return false, err
	}
	if reopens {
		err := c.emitChat(chat, EventChatStatus, ChatStatusItem{Type: models.ChatOpen, Chat: ChatRef{ID: chat.ExternalID}})
		if err != nil {
			return false, err
		}
	}
	if opens {
		return true, c.emitWindow(chat)
	}
	return true, nil
}

func (c *change) emitMessage(v renderer, chat *models.Chat, m *models.Message) error {
	var quoted *models.Message
	if m.QuotedExternalID != nil {
		var err error
		quoted, err = c.tx.MessageByExternal(chat.ID, *m.QuotedExternalID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	item, err := v.item(m, chat, quoted)
	if err != nil {
		return err
	}
	shown := []int64{m.ID}
	if quoted != nil {
		shown = append(shown, quoted.ID)
	}
	return c.emitShown(chat, EventMessage, item, shown...)
}

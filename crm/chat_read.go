package crm

import (
	"context"

	"chatcast/models"
)

// MarkRead marks all messages of a chat as read. A chat without unread messages
// causes no event.
func (s *Service) MarkRead(ctx context.Context, a Actor, at ChatAddress) (ChatData, error) {
	return s.onChat(ctx, a, at, nil, func(c *change, chat *models.Chat) error {
		if chat.Unread == 0 {
			return nil
		}
		out, err := s.outbox(c, at.Line)
		if err != nil {
			return err
		}
		if err := out.read(chat, chat.Unread); err != nil {
			return err
		}
		chat.Unread = 0
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
		return c.emitChat(chat, EventChatRead, ChatReadItem{Chat: ChatRef{ID: chat.ExternalID}, Edited: a.edited()})
	})
}

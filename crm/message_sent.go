package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// AcceptedMessage returns a message that the actor has sent, as its event tells it. It is for the
// answer to the request that sent it: a key that may only send can read it too, but not what it
// tells of others.
func (s *Service) AcceptedMessage(ctx context.Context, a Actor, at ChatAddress, id ID) (*HistoryItem, error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, send)
	if err != nil {
		return nil, err
	}
	key, err := ParseChatID("chatId", at.Messenger, at.ChatID)
	if err != nil {
		return nil, err
	}
	chat, err := tx.ChatByExternal(at.LicenseID, at.Messenger, key.External)
	if err != nil {
		return nil, orNotFound(err, "message")
	}
	row, err := tx.MessageByExternal(chat.ID, id.String())
	if err != nil {
		return nil, orNotFound(err, "message")
	}
	if row.CreatedBy == nil || *row.CreatedBy != a.UserID {
		return nil, notFound("message")
	}
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return nil, err
	}
	list, err := v.histories(tx, []*models.Message{row}, chat)
	if err != nil {
		return nil, err
	}
	item := list[row.ID]
	if !l.access.Read {
		item.MessageItem = withoutOthers(item.MessageItem)
	}
	return &item, nil
}

// withoutOthers returns a message without what it tells of the one that it answers or reacts to,
// and of its receiver.
func withoutOthers(m MessageItem) MessageItem {
	if q := m.QuotedMessage; q != nil {
		m.QuotedMessage = &QuotedMessage{ID: q.ID, FromMe: q.FromMe}
	}
	if r := m.Message.Reaction; r != nil && r.Origin != nil {
		own := *r
		own.Origin = &MessageOrigin{FromMe: r.Origin.FromMe}
		m.Message.Reaction = &own
	}
	m.Chat.Name, m.Chat.Image = "", nil
	return m
}

// HasMessage reports whether a chat has a message with this id. The actor must be allowed to write
// to the line.
func (s *Service) HasMessage(ctx context.Context, a Actor, at ChatAddress, id ID) (bool, error) {
	tx := s.Store.Read(ctx)
	if _, err := s.line(tx, a, at.LicenseID, at.Messenger, send); err != nil {
		return false, err
	}
	key, err := ParseChatID("chatId", at.Messenger, at.ChatID)
	if err != nil || checkID("id", id.String()) != nil {
		return false, err
	}
	chat, err := tx.ChatByExternal(at.LicenseID, at.Messenger, key.External)
	if err == nil {
		_, err = tx.MessageByExternal(chat.ID, id.String())
	}
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// Chats and messages have numbers of their own besides the messenger's ids, see
// ChatData.Number. A program that knows such a number alone gets from it where to look. It may
// use it as far as it may see the chat.

// MessageNumbers are the numbers of a message and of its chat.
type MessageNumbers struct{ Chat, Message int64 }

// NumbersOf returns the numbers of a message of a chat that the actor may write in.
func (s *Service) NumbersOf(ctx context.Context, a Actor, at ChatAddress, messageID string) (n MessageNumbers, err error) {
	if err := checkID("messageId", messageID); err != nil {
		return n, err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, send)
	if err != nil {
		return n, err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return n, err
	}
	m, err := tx.MessageByExternal(chat.ID, messageID)
	if err != nil {
		return n, orNotFound(err, "message")
	}
	return MessageNumbers{Chat: chat.ID, Message: m.ID}, nil
}

// ChatNumbered returns where the chat with a number is. A chat that the actor may not see is
// CodeNotFound, whyever.
func (s *Service) ChatNumbered(ctx context.Context, a Actor, number int64) (ChatAddress, error) {
	return s.chatNumbered(s.Store.Read(ctx), a, number, read)
}

// MessageNumbered returns where the message with a number is, and its id. A message in a
// chat that the actor may not write in is CodeNotFound.
func (s *Service) MessageNumbered(ctx context.Context, a Actor, number int64) (at ChatAddress, id string, err error) {
	tx := s.Store.Read(ctx)
	m, err := tx.MessageNumbered(number)
	if err != nil {
		return at, "", orNotFound(err, "message")
	}
	at, err = s.chatNumbered(tx, a, m.ChatID, send)
	if isNotFound(err) {
		err = notFound("message")
	}
	return at, m.ExternalID, err
}

func (s *Service) chatNumbered(tx *models.Tx, a Actor, number int64, n need) (at ChatAddress, err error) {
	chat, err := tx.ChatRow(number)
	if err != nil {
		return at, orNotFound(err, "chat")
	}
	l, err := s.line(tx, a, chat.LicenseID, chat.MessengerType, n)
	if err == nil {
		err = l.mustSee(tx, a, chat)
	}
	var refused *Error
	if errors.As(err, &refused) {
		return at, notFound("chat")
	}
	return ChatAddress{Line: Line{LicenseID: chat.LicenseID, Messenger: chat.MessengerType}, ChatID: chat.ExternalID}, err
}

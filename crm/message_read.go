package crm

import (
	"context"

	"chatcast/models"
)

// MarkRead sets a chat's unread messages to none. A chat without any causes no
// event.
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

// Kinds of typing.
const (
	TypingText  = "text"
	TypingVoice = "voice"
)

// Typing shows the other side that we are writing or recording. It is told to
// nobody else and may be lost.
func (s *Service) Typing(ctx context.Context, a Actor, at ChatAddress, kind string) error {
	if kind != TypingText && kind != TypingVoice {
		return Invalid("type", "must be text or voice")
	}
	connector, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, write)
	if err != nil {
		return err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return err
	}
	return connector.Typing(ctx, at.Line, chat.ExternalID, kind)
}

// LineStatus says how a line stands.
func (s *Service) LineStatus(ctx context.Context, a Actor, on Line) (LineStatus, error) {
	connector, err := s.connectorFor(ctx, a, on, read)
	if err != nil {
		return LineStatus{}, err
	}
	return connector.Status(ctx, on)
}

// Pair begins to connect an account to a line: by a code for that phone, or by
// QR when phone is nil.
func (s *Service) Pair(ctx context.Context, a Actor, on Line, phone *string) (Pairing, error) {
	connector, err := s.connectorFor(ctx, a, on, write)
	if err != nil {
		return Pairing{}, err
	}
	var digits string
	if phone != nil {
		if digits = phoneSigns.Replace(*phone); !phoneForm.MatchString(digits) {
			return Pairing{}, Invalid("phone", "must be a phone number of 5 to 15 digits with its country code")
		}
	}
	return connector.Pair(ctx, on, digits)
}

// Logout ends the session of a line's account.
func (s *Service) Logout(ctx context.Context, a Actor, on Line) error {
	connector, err := s.connectorFor(ctx, a, on, write)
	if err != nil {
		return err
	}
	return connector.Logout(ctx, on)
}

// connectorFor authorises the actor on the line and returns the connector that serves it.
func (s *Service) connectorFor(ctx context.Context, a Actor, on Line, n need) (Messenger, error) {
	if _, err := s.line(s.Store.Read(ctx), a, on.LicenseID, on.Messenger, n); err != nil {
		return nil, err
	}
	return s.messenger(on.Messenger)
}

package crm

import (
	"cmp"
	"errors"

	"chatcast/models"
)

// The first message to a person is the one that messengers judge an account by. A chat has
// one at a time: the messages behind it wait for it. When it is not sent, the next one
// becomes the first, so that nothing reaches a stranger past the limits.

// isFirst reports whether a message that was just recorded is the first one in a chat with
// a person. Nobody has written there before, or nothing of it has reached the messenger,
// and no other first message waits.
func (c *change) isFirst(chat *models.Chat, messageID int64) (bool, error) {
	if chat.Type != models.ChatPrivate {
		return false, nil
	}
	met, err := c.tx.Acquainted(chat.ID, messageID)
	if met || err != nil {
		return false, err
	}
	waits, err := c.tx.FirstWaits(chat.ID)
	return !waits, err
}

// addFirstContact records a first message of the line, which is rated by it. It takes its
// place within the limit from the time at on.
func (c *change) addFirstContact(on Line, m *models.Message, at int64) error {
	content, err := renderer{}.stored(m)
	if err != nil {
		return err
	}
	return c.tx.AddFirstContact(&models.FirstContact{
		LicenseID: on.LicenseID, MessengerType: on.Messenger, At: at, ChatID: &m.ChatID, MessageID: &m.ID, TextHash: textHash(content),
	}, c.now.Unix()-contactLife)
}

// passFirst follows the removal of an item that was not sent. The next message that waits
// in the chat becomes its first one when the removed one was that. It is never refused by
// the limit of first contacts, because it was accepted already. Without a next one, and
// when no attempt was made, the place within the limit is free again.
func (c *change) passFirst(removed *models.OutboxItem) error {
	if !removed.FirstContact || removed.MessageID == nil {
		return nil
	}
	at, err := c.tx.DropFirstContact(*removed.MessageID)
	if err != nil {
		return err
	}
	next, err := c.tx.LockNextMessage(removed.ChatID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if met, err := c.tx.Acquainted(removed.ChatID, *removed.MessageID); met || err != nil {
		return err
	}
	next.FirstContact = true
	if err := c.tx.SaveOutbox(next); err != nil {
		return err
	}
	m, err := c.tx.MessageRow(next.ChatID, *next.MessageID)
	if err != nil {
		return err
	}
	return c.addFirstContact(Line{LicenseID: next.LicenseID, Messenger: next.MessengerType}, m, cmp.Or(at, c.now.Unix()))
}

// joinFirst follows the merger of a chat with another one: what waits is an answer when the
// person is known from either, and else there is one first message.
func (c *change) joinFirst(chat *models.Chat) error {
	if chat.Type != models.ChatPrivate {
		return nil
	}
	met, err := c.tx.Acquainted(chat.ID, 0)
	if err != nil {
		return err
	}
	if met {
		return c.answerOutbox(Line{chat.LicenseID, chat.MessengerType}, chat.ID)
	}
	return c.tx.JoinFirst(chat.ID)
}

// stranger reports whether a line with an account has not met the person of a chat. To a
// stranger an account shows nothing before its first message may go: the messenger would
// see that it is about to write.
func (s *Service) stranger(tx *models.Tx, on Line, chat *models.Chat) (bool, error) {
	if x, _, err := s.account(tx, on); x == nil || err != nil || chat.Type != models.ChatPrivate {
		return false, err
	}
	met, err := tx.Acquainted(chat.ID, 0)
	return !met, err
}

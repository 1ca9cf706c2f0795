package crm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"chatcast/models"
)

// CallRejected sends the line's text to the person whose call was rejected, as a message
// of the account. The same call a second time changes nothing. The call itself must have
// been ingested: its chat is the one that is written to.
func (s *Service) CallRejected(ctx context.Context, on Line, chatID, callID string) error {
	key, err := ParseChatID("chatId", on.Messenger, chatID)
	if err != nil {
		return err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return err
	}
	return s.change(ctx, func(c *change) error {
		settings, err := c.tx.LineSettings(on.LicenseID, on.Messenger)
		if err != nil || !settings.RejectCalls || settings.RejectText == "" {
			return err
		}
		chat, err := c.tx.LockChat(on.LicenseID, on.Messenger, key.External)
		if err != nil {
			return orNotFound(err, "chat")
		}
		out, err := s.outbox(c, on)
		if err != nil || out == nil {
			return err
		}
		session, err := c.tx.MessengerSession(on.LicenseID, on.Messenger)
		if err != nil {
			return err
		}
		row, err := ofAccount(c.now.Unix(), on.Messenger, session.Phone, settings.RejectText)
		if err != nil {
			return err
		}
		row.ExternalID = answerID(on, chat.ExternalID, callID)
		if added, err := c.record(v, chat, row); err != nil || !added {
			return err
		}
		return out.send(chat, row)
	})
}

// ofAccount returns a text that the account sends by itself, on nobody's behalf.
func ofAccount(now int64, messenger, phone, text string) (*models.Message, error) {
	author, err := json.Marshal(Author{ID: MakeID(messenger, phoneChat(messenger, phone)), Phone: given(phone)})
	if err != nil {
		return nil, err
	}
	content, err := encodeContent(Content{Text: text})
	return &models.Message{
		FromMe: true, FromAPI: true, Time: now, Type: MessageText, Author: string(author), Content: content,
	}, err
}

// answerID returns the id of the answer to a call, in the form of WhatsApp's own clients.
// It is the same for the same call, so that there is one answer.
func answerID(on Line, chat, callID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%s/%s", on.LicenseID, on.Messenger, chat, callID))
	return "3EB0" + strings.ToUpper(hex.EncodeToString(sum[:9]))
}

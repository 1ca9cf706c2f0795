package crm

import (
	"context"

	"chatcast/models"
)

// Edit is the new content of a message: the text of a text message, or the caption of a
// message with a file.
type Edit struct {
	Text    *string
	Caption *string
}

func (e Edit) check() error {
	if e.Text == nil && e.Caption == nil {
		return Invalid("text", "is required, or caption of a message with a file")
	}
	return allViolations(checkOptional("text", e.Text, MaxText), checkOptional("caption", e.Caption, MaxCaption))
}

// EditMessage changes the content of a message of ours. The employee who wrote it,
// owners and admins may edit it. An edit that changes nothing emits no event.
func (s *Service) EditMessage(ctx context.Context, a Actor, at ChatAddress, messageID string, e Edit) (item HistoryItem, err error) {
	if err := e.check(); err != nil {
		return item, err
	}
	err = s.onMessage(ctx, a, at, messageID, func(c *change, v renderer, l *line, chat *models.Chat, row *models.Message) error {
		if !row.FromMe {
			return conflict("only a message that this line sent can be edited")
		}
		if row.DeletedAt != nil {
			return conflict("the message was deleted")
		}
		if err := l.checkAuthor(a, row); err != nil {
			return err
		}
		before := previousContentOf(row)
		changed, err := c.edit(v, a, chat, row, e)
		if err != nil {
			return err
		}
		if changed {
			out, err := s.outbox(c, at.Line)
			if err != nil {
				return err
			}
			if err := out.edit(chat, row, before); err != nil {
				return err
			}
		}
		item, err = v.history(c.tx, row, chat)
		return err
	})
	return item, err
}

// checkAuthor returns nil if the actor may change what the message says: its author, owners,
// admins and keys that manage the line may. Messages of the phone and of backends have no
// author.
func (l *line) checkAuthor(a Actor, row *models.Message) error {
	if !l.access.Manage && row.CreatedBy != nil && *row.CreatedBy != a.UserID {
		return denied("somebody else wrote this message")
	}
	return nil
}

func (c *change) edit(v renderer, a Actor, chat *models.Chat, row *models.Message, e Edit) (changed bool, err error) {
	content, err := v.stored(row)
	if err != nil {
		return false, err
	}
	before := content
	switch {
	case row.Type == MessageText && e.Text != nil && e.Caption == nil:
		content.Text = *e.Text
	case content.File != nil && e.Caption != nil && e.Text == nil:
		content.Caption = *e.Caption
	default:
		return false, Invalid("text", "of a text message, or caption of a message with a file: nothing else can be edited")
	}
	if err := content.missing("", row.Type); err != nil {
		return false, err
	}
	if content.Text == before.Text && content.Caption == before.Caption {
		return false, nil
	}
	return true, c.saveEdit(v, a, chat, row, content, c.now.Unix(), false)
}

// saveEdit stores the new content of a message and emits messageEdit. unread says that the message could
// not be read before.
func (c *change) saveEdit(v renderer, a Actor, chat *models.Chat, row *models.Message, content Content, at int64, unread bool) (err error) {
	row.EditedAt = &at
	if row.Content, err = encodeContent(content); err != nil {
		return err
	}
	if err := c.saveContent(row); err != nil {
		return err
	}
	return c.emitContent(v, chat, row, MessageEditItem{Time: at, FromApp: a.fromApp(), Edited: a.edited(), whole: unread})
}

// emitContent emits messageEdit with the current content of a message. ev says why it is
// another one.
func (c *change) emitContent(v renderer, chat *models.Chat, row *models.Message, ev MessageEditItem) (err error) {
	shown := []int64{row.ID}
	if ev.Message, err = v.content(row); err != nil {
		return err
	}
	if ev.Cause == CauseArrived || ev.whole {
		var whole MessageItem
		if whole, shown, err = c.messageItem(v, chat, row); err != nil {
			return err
		}
		ev.Message, ev.Arrived = whole.Message, &whole
	}
	ev.ID, ev.Type, ev.Chat = MakeID(v.line.Messenger, row.ExternalID), row.Type, ChatRef{ID: chat.ExternalID}
	if ev.Origin, err = v.origin(row); err != nil {
		return err
	}
	return c.emitShown(chat, EventMessageEdit, ev, shown...)
}

// DeleteMessage deletes a message of ours for everyone. Whoever may edit it may delete
// it. Its content is erased; its row stays. Deleting it again changes nothing.
func (s *Service) DeleteMessage(ctx context.Context, a Actor, at ChatAddress, messageID string) error {
	return s.onMessage(ctx, a, at, messageID, func(c *change, v renderer, l *line, chat *models.Chat, row *models.Message) error {
		if !row.FromMe {
			return conflict("only a message that this line sent can be deleted for all")
		}
		if err := l.checkAuthor(a, row); err != nil {
			return err
		}
		if row.DeletedAt != nil {
			return nil
		}
		before := previousContentOf(row)
		if err := c.erase(v, a, chat, row, c.now.Unix()); err != nil {
			return err
		}
		err := c.audit(l.companyID, audited{
			action: AuditMessageDeleted, by: a.auditor(), on: target{targetMessage, row.ExternalID, ""},
			details: map[string]string{"line": lineTarget(l.licenseID, l.messenger).id, "chat": chat.ExternalID},
		})
		if err != nil {
			return err
		}
		out, err := s.outbox(c, at.Line)
		if err != nil {
			return err
		}
		return out.delete(chat, row, before)
	})
}

// onMessage runs f on a message, with the chat and the message locked. The actor must
// see the chat and be allowed to write the line, and the messenger must be connected.
func (s *Service) onMessage(ctx context.Context, a Actor, at ChatAddress, messageID string,
	f func(c *change, v renderer, l *line, chat *models.Chat, row *models.Message) error) error {
	if err := checkID("messageId", messageID); err != nil {
		return err
	}
	if _, err := s.connected(ctx, a, at.Line); err != nil {
		return err
	}
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return err
	}
	// A deletion changes events that the relay may be numbering.
	return s.changeWithRetry(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, at.LicenseID, at.Messenger, write)
		if err != nil {
			return err
		}
		chat, err := l.lockChat(c.tx, a, at.ChatID)
		if err != nil {
			return err
		}
		row, err := c.tx.LockMessage(chat.ID, messageID)
		if err != nil {
			return orNotFound(err, "message")
		}
		return f(c, v, l, chat, row)
	})
}

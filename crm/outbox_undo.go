package crm

import (
	"encoding/json"
	"errors"

	"chatcast/models"
)

// previousContent is the content of a message that people outside have while an edit or
// a deletion of ours is on its way. It is stored with the edit or deletion, and
// restored when that fails.
type previousContent struct {
	Content  string `json:"content"`
	EditedAt *int64 `json:"editedAt,omitempty"`
	// Unsent means that the message was still being sent when it was deleted: as far as
	// we know nobody has it, so nothing is restored.
	Unsent bool `json:"unsent,omitempty"`
}

func previousContentOf(row *models.Message) previousContent {
	return previousContent{Content: row.Content, EditedAt: row.EditedAt}
}

func (p previousContent) payload() (string, error) {
	b, err := json.Marshal(p)
	return string(b), err
}

// lockOutbox locks and returns an item of the outbox. It locks the chat first, as every
// change of a chat's content does. It returns ErrNotFound when the item was done.
func (c *change) lockOutbox(on Line, id int64) (*models.OutboxItem, error) {
	found, err := c.tx.OutboxRow(on.LicenseID, on.Messenger, id)
	if err != nil {
		return nil, err
	}
	if found.Kind != OutRead {
		if _, err := c.lockChatRow(on, found.ChatID); err != nil && !errors.Is(err, models.ErrNotFound) {
			return nil, err // a missing chat was merged into another meanwhile
		}
	}
	return c.tx.LockOutbox(on.LicenseID, on.Messenger, id)
}

func (c *change) lockChatRow(on Line, id int64) (*models.Chat, error) {
	chat, err := c.tx.ChatRow(id)
	if err != nil {
		return nil, err
	}
	return c.tx.LockChat(on.LicenseID, on.Messenger, chat.ExternalID)
}

// undo restores the content that people outside have, because an edit or a deletion of
// ours failed. When another change waits behind it, that change may still succeed: undo
// then only stores in it the content to restore.
func (c *change) undo(v renderer, row *models.OutboxItem, why SendError) error {
	var before previousContent
	if err := json.Unmarshal([]byte(row.Payload), &before); err != nil {
		return err
	}
	chat, err := c.lockChatRow(v.line, row.ChatID)
	if err != nil {
		return err
	}
	m, err := c.tx.MessageRow(chat.ID, *row.MessageID)
	if err != nil {
		return err
	}
	if m, err = c.tx.LockMessage(chat.ID, m.ExternalID); err != nil {
		return err
	}
	if later, err := c.tx.LockOutboxOf(m.ID); err != nil || len(later) > 0 {
		if err != nil {
			return err
		}
		return c.remember(later[0], before)
	}
	deleted := row.Kind == OutDelete
	if m.Status == models.StatusFailed || before.Unsent || deleted != (m.DeletedAt != nil) {
		return nil
	}
	m.Content, m.EditedAt, m.DeletedAt = before.Content, before.EditedAt, nil
	if err := c.saveContent(m); err != nil {
		return err
	}
	if deleted {
		if err := c.hideFile(v, m, nil); err != nil {
			return err
		}
	}
	return c.emitContent(v, chat, m, MessageEditItem{Time: c.now.Unix(), Error: &why})
}

// remember stores in an edit or a deletion the content to restore when it fails.
func (c *change) remember(row *models.OutboxItem, before previousContent) (err error) {
	if row.Kind != OutEdit && row.Kind != OutDelete {
		return nil
	}
	if row.Payload, err = before.payload(); err != nil {
		return err
	}
	return c.tx.SaveOutbox(row)
}

// updatePreviousContent stores now, the content that recipients have, in the edit or
// deletion that waits to change the message.
func (c *change) updatePreviousContent(messageID int64, now previousContent) error {
	waiting, err := c.tx.LockOutboxOf(messageID)
	if err != nil {
		return err
	}
	for _, row := range waiting {
		if row.Kind == OutEdit || row.Kind == OutDelete {
			return c.remember(row, now)
		}
	}
	return nil
}

// forgetOutbox deletes the outbox items of a message that failed or that recipients no
// longer have.
func (c *change) forgetOutbox(messageID int64) error {
	waiting, err := c.tx.LockOutboxOf(messageID)
	if err != nil {
		return err
	}
	for _, row := range waiting {
		if err := c.tx.DeleteOutbox(row.ID); err != nil {
			return err
		}
		if err := c.passFirst(row); err != nil {
			return err
		}
	}
	return nil
}

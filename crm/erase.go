package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chatcast/models"
)

// What is deleted is gone everywhere: the row's content, the file behind it, what answers
// tell of it, and the events of the journal that show it, also those of other messages that
// quote it. An edit leaves the journal as it is, as the history of the message.

// erase deletes the content of a message and emits messageDelete.
func (c *change) erase(v renderer, a Actor, chat *models.Chat, row *models.Message, at int64) (err error) {
	if err := c.hideFile(v, row, &at); err != nil {
		return err
	}
	row.DeletedAt = &at
	if row.Content, err = encodeContent(Content{}); err != nil {
		return err
	}
	if a.UserID == 0 { // ours may be restored: until then nobody is shown what it quotes
		row.Quote = nil
	}
	if err := c.saveContent(row); err != nil {
		return err
	}
	if err := c.redact(row.ID, row.ExternalID); err != nil {
		return err
	}
	if _, err := c.eraseQuotes(chat, row.ExternalID, anyQuote); err != nil {
		return err
	}
	of, err := v.origin(row)
	if err != nil {
		return err
	}
	return c.emitDelete(v, a, chat, row.ExternalID, at, of)
}

// emitDelete emits messageDelete. of is nil when the message never was here.
func (c *change) emitDelete(v renderer, a Actor, chat *models.Chat, id string, at int64, of *MessageOrigin) error {
	return c.emitChat(chat, EventMessageDelete, MessageDeleteItem{
		ID: MakeID(v.line.Messenger, id), Time: at, Chat: ChatRef{ID: chat.ExternalID}, FromApp: a.fromApp(), Edited: a.edited(), Origin: of,
	})
}

// hideFile makes the stored files of a message unreachable, or with a nil time reachable
// again: a message that came in two chats, which were then merged, has two. Sweep removes its bytes when the deletion can no longer fail.
func (c *change) hideFile(v renderer, row *models.Message, at *int64) error {
	if err := c.tx.HideFilesOf(row.ID, at); err != nil {
		return err
	}
	content, err := v.stored(row)
	if err != nil || content.File == nil {
		return err
	}
	id, ours := strings.CutPrefix(content.File.Link, storedLink)
	if !ours {
		return nil
	}
	file, err := c.tx.LockFile(id)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	file.DeletedAt, file.MessageID = at, &row.ID
	return c.tx.SaveFile(file)
}

// redact removes what a message says from the events that show it: those of the journal
// and those of this change.
func (c *change) redact(messageID int64, id string) error {
	entries, err := c.tx.LockJournalOfMessage(messageID)
	if err != nil {
		return err
	}
	for _, e := range entries {
		data, err := redactEntry(e.Name, e.Data, id)
		if err != nil { // what cannot be read goes as a whole
			if err := c.forgetUnreadable(e, err); err != nil {
				return err
			}
			continue
		}
		if err := c.tx.SetJournalData(e.ID, data); err != nil {
			return err
		}
	}
	for i, ev := range c.events {
		if slices.Contains(ev.Messages, messageID) {
			for k, item := range ev.Items {
				c.events[i].Items[k] = redactItem(item, id)
			}
		}
	}
	return nil
}

// forgetUnreadable removes an entry of the journal that may say what is to be erased, and
// cannot be read.
func (c *change) forgetUnreadable(e models.JournalEntry, cause error) error {
	c.after = append(c.after, func() { c.s.Journal.leaveOut(context.Background(), e, cause) })
	return c.tx.ForgetJournal(e)
}

// redactEntry returns the data of a journal entry without what the message says.
func redactEntry(event, data, id string) (string, error) {
	var stored struct {
		Payload struct {
			Data []json.RawMessage `json:"data"`
			Meta json.RawMessage   `json:"meta"`
		} `json:"payload"`
	}
	if err := json.Unmarshal([]byte(data), &stored); err != nil {
		return "", err
	}
	items := make([]any, len(stored.Payload.Data))
	for i, raw := range stored.Payload.Data {
		item, err := decodeItem(event, raw)
		if err != nil {
			return "", err
		}
		items[i] = redactItem(item, id)
	}
	b, err := json.Marshal(envelope{Payload: payload{Data: items, Meta: stored.Payload.Meta}})
	return string(b), err
}

// decodeItem decodes an item of an event that shows messages.
func decodeItem(event string, raw json.RawMessage) (item any, err error) {
	switch event {
	case EventMessage:
		var m MessageEvent
		err = json.Unmarshal(raw, &m)
		return m, err
	case EventMessageEdit:
		var m MessageEditItem
		err = json.Unmarshal(raw, &m)
		return m, err
	case EventPast:
		var p PastItem
		err = json.Unmarshal(raw, &p)
		return p, err
	case EventTally:
		var t TallyItem
		err = json.Unmarshal(raw, &t)
		return t, err
	}
	return nil, fmt.Errorf("%s shows no message", event)
}

// redactItem returns an item without the content of the message with this id.
func redactItem(item any, id string) any {
	switch m := item.(type) {
	case MessageEvent:
		m.MessageItem = redactMessage(m.MessageItem, id)
		return m
	case MessageEditItem:
		if m.ID.String() == id {
			m.Message = Content{}
		}
		if m.Arrived != nil {
			whole := redactMessage(*m.Arrived, id)
			m.Arrived = &whole
		}
		return m
	case PastItem:
		return m.without(id)
	case TallyItem:
		if m.ID.String() == id { // its options were said by the poll
			m.Options = []TallyOption{}
		}
		return m
	}
	return item
}

func redactMessage(m MessageItem, id string) MessageItem {
	own := m.ID.String() == id
	if own {
		m.Message = Content{}
	}
	// What a message itself tells of another one goes with it, too.
	if q := m.QuotedMessage; q != nil && q.Message != nil && (q.ID.String() == id || own && q.InternalID == nil) {
		empty := *q
		empty.Message = &Content{}
		m.QuotedMessage = &empty
	}
	return m
}

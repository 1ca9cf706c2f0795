package crm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"chatcast/models"
)

// SentMessage returns a message of a chat, ours or another's, with its current content.
// It returns CodeNotFound when there is none or it was deleted.
func (s *Service) SentMessage(ctx context.Context, on Line, chatID, id string) (*MessageRef, error) {
	chat, row, err := messageOnLine(s.Store.Read(ctx), on, chatID, id)
	if err != nil {
		return nil, err
	}
	if row.DeletedAt != nil {
		return nil, notFound("message")
	}
	ref, err := messageRef(on, row)
	if err == nil {
		ref.Disappearing = disappearingOf(chat)
	}
	return ref, err
}

// messageOnLine returns a message and its chat by the ids that connectors use, whoever may
// see them. It returns CodeNotFound when one of them is not there.
func messageOnLine(tx *models.Tx, on Line, chatID, id string) (*models.Chat, *models.Message, error) {
	key, err := ParseChatID("chatId", on.Messenger, chatID)
	if err != nil {
		return nil, nil, err
	}
	chat, err := tx.ChatByExternal(on.LicenseID, on.Messenger, key.External)
	if err != nil {
		return nil, nil, orNotFound(err, "chat")
	}
	row, err := tx.MessageByExternal(chat.ID, id)
	if err != nil {
		return nil, nil, orNotFound(err, "message")
	}
	return chat, row, nil
}

// outboxItem converts a row to the item that connectors see.
func outboxItem(tx *models.Tx, on Line, row *models.OutboxItem) (*OutboxItem, error) {
	chat, err := tx.ChatRow(row.ChatID)
	if err != nil {
		return nil, err
	}
	item := &OutboxItem{
		ID: row.ID, Line: on, Kind: row.Kind, ChatID: chat.ExternalID, Group: chat.Type == models.ChatGroup,
		CreatedAt: time.Unix(row.CreatedAt, 0), Deadline: time.Unix(row.Deadline, 0),
		Attempts: int(row.Attempts), LastError: row.LastError, FirstContact: row.FirstContact,
	}
	if row.NotBefore > 0 {
		item.NotBefore = time.Unix(row.NotBefore, 0)
	}
	if chat.LID != nil {
		item.LID = *chat.LID
	}
	if row.Kind == OutRead {
		item.Reads, err = readRefs(tx, on, row)
		return item, err
	}
	m, err := tx.MessageRow(chat.ID, *row.MessageID)
	if err != nil {
		return nil, err
	}
	if item.Message, err = messageRef(on, m); err != nil {
		return nil, err
	}
	item.Message.Disappearing = disappearingOf(chat)
	if item.Quoted, err = refTo(tx, on, chat, item.Message.Quoted); err != nil {
		return nil, err
	}
	if item.Quoted == nil && m.Quote != nil {
		if item.Quoted, err = quotedRef(m); err != nil {
			return nil, err
		}
	}
	if r := item.Message.Content.Reaction; r != nil {
		item.Reaction, err = refTo(tx, on, chat, r.MessageID.String())
	}
	return item, err
}

// refTo returns another message of the chat, or nil when there is none.
func refTo(tx *models.Tx, on Line, chat *models.Chat, id string) (*MessageRef, error) {
	if id == "" {
		return nil, nil
	}
	row, err := tx.MessageByExternal(chat.ID, id)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return messageRef(on, row)
}

func messageRef(on Line, row *models.Message) (*MessageRef, error) {
	v := renderer{line: on}
	content, err := v.stored(row)
	if err != nil {
		return nil, err
	}
	author, err := v.author(row)
	if err != nil {
		return nil, err
	}
	m := &MessageRef{
		ID: row.ExternalID, FromMe: row.FromMe, AuthorID: author.ID.String(), Time: row.Time, Type: row.Type, Content: content,
		previous: previousContentOf(row),
	}
	if row.Subtype != nil {
		m.Subtype = *row.Subtype
	}
	if row.QuotedExternalID != nil {
		m.Quoted = *row.QuotedExternalID
	}
	if f := content.File; f != nil {
		if id, ours := strings.CutPrefix(f.Link, storedLink); ours {
			m.FileID, f.Link = id, ""
		}
	}
	return m, nil
}

// quotedRef returns the message that an answer quotes and that is not here.
func quotedRef(answer *models.Message) (*MessageRef, error) {
	q, err := decodeQuote(answer)
	if err != nil {
		return nil, err
	}
	ref := &MessageRef{ID: *answer.QuotedExternalID, FromMe: q.FromMe != nil && *q.FromMe, Type: q.Type, Content: q.Message}
	if q.Author != nil {
		ref.AuthorID = q.Author.ID.String()
	}
	return ref, nil
}

func readRefs(tx *models.Tx, on Line, row *models.OutboxItem) ([]MessageRef, error) {
	var ids []int64
	if err := json.Unmarshal([]byte(row.Payload), &ids); err != nil {
		return nil, err
	}
	rows, err := tx.MessagesByID(ids)
	if err != nil {
		return nil, err
	}
	refs := make([]MessageRef, 0, len(ids))
	for _, id := range ids {
		if rows[id] == nil {
			continue
		}
		ref, err := messageRef(on, rows[id])
		if err != nil {
			return nil, err
		}
		refs = append(refs, *ref)
	}
	return refs, nil
}

package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"chatcast/models"
)

// SearchQuery selects a page of the messages of a line that contain every word of Search,
// the newest first. See models.SearchWords for what a word is.
type SearchQuery struct {
	PageQuery
	Search   string
	ChatID   string // only of this chat, in any spelling; empty: of all that the actor may see
	LastTime *int64 // unix seconds: no message after it
}

// FoundMessages is a page of a search.
type FoundMessages struct {
	Page[HistoryItem]
	// Complete is false while messages that are older than the index wait for it.
	Complete bool `json:"complete"`
}

func (q SearchQuery) filter(a Actor, on Line) (f models.MessageFilter, err error) {
	after, limit, err := q.start("found", 2)
	wordsViolation := checkRequired("search", q.Search, maxSearch)
	words := models.SearchWords(q.Search)
	if wordsViolation == nil && len(words) == 0 {
		wordsViolation = Invalid("search", "must contain a letter, a digit or an emoji")
	}
	if err := allViolations(err, wordsViolation); err != nil {
		return f, err
	}
	f = models.MessageFilter{
		ViewerID: a.UserID, LicenseID: on.LicenseID, MessengerType: on.Messenger,
		Words: words, LastTime: q.LastTime, Limit: limit + 1,
	}
	if after != nil {
		f.After = &models.TimeKey{Time: after[0], ID: after[1]}
	}
	return f, nil
}

// SearchMessages searches in the messages of the chats of a line that the actor may see.
// Deleted messages are never found, and edited ones by what they say now. CodeUnavailable
// means that too many searches run, or that this one takes too long.
func (s *Service) SearchMessages(ctx context.Context, a Actor, on Line, q SearchQuery) (found FoundMessages, err error) {
	v, err := s.renderer(ctx, on)
	if err != nil {
		return found, err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return found, err
	}
	f, err := q.filter(a, on)
	if err != nil {
		return found, err
	}
	if q.ChatID != "" {
		chat, err := l.seenChat(tx, a, q.ChatID)
		if err != nil {
			return found, err
		}
		f.ChatID = chat.ID
	}
	// The state is read first: what is indexed meanwhile may be missing in the page.
	waiting, err := tx.UnindexedMessages()
	if err != nil {
		return found, err
	}
	err = s.searching(ctx, func(ctx context.Context) error {
		for range 3 {
			found.Page, err = v.found(s.Store.Read(ctx), f)
			if !errors.Is(err, errChatGone) {
				break
			}
		}
		return err
	})
	found.Complete = waiting == 0
	return found, err
}

// errChatGone means that a chat was merged into another one between two queries.
var errChatGone = errors.New("crm: a chat of the found messages is gone")

func (v renderer) found(tx *models.Tx, f models.MessageFilter) (page Page[HistoryItem], err error) {
	rows, err := tx.SearchMessages(f)
	if err != nil {
		return page, err
	}
	items, err := v.historiesOfChats(tx, rows[:min(len(rows), f.Limit-1)])
	if err != nil {
		return page, err
	}
	return pageOf("found", rows, f.Limit-1, func(m *models.Message) []int64 { return []int64{m.Time, m.ID} },
		func(m *models.Message) HistoryItem { return items[m.ID] }), nil
}

// historiesOfChats converts rows of several chats of the line to list items, by row id.
func (v renderer) historiesOfChats(tx *models.Tx, rows []*models.Message) (map[int64]HistoryItem, error) {
	byChat := map[int64][]*models.Message{}
	var ids []int64
	for _, row := range rows {
		if byChat[row.ChatID] == nil {
			ids = append(ids, row.ChatID)
		}
		byChat[row.ChatID] = append(byChat[row.ChatID], row)
	}
	chats, err := tx.ChatsByID(ids)
	if err != nil {
		return nil, err
	}
	all := make(map[int64]HistoryItem, len(rows))
	for _, id := range ids {
		chat := chats[id]
		if chat == nil {
			return nil, errChatGone
		}
		items, err := v.histories(tx, byChat[id], chat)
		if err != nil {
			return nil, err
		}
		for k, item := range items {
			all[k] = item
		}
	}
	return all, nil
}

// searchText returns what is searched of a message: what people read in it.
func searchText(row *models.Message) (string, error) {
	var m Content
	if err := json.Unmarshal([]byte(row.Content), &m); err != nil {
		return "", fmt.Errorf("content of message %d: %w", row.ID, err)
	}
	parts := []string{m.Text, m.Caption}
	if m.File != nil {
		parts = append(parts, m.File.Name)
	}
	if m.Location != nil {
		parts = append(parts, m.Location.Name, m.Location.Address)
	}
	contacts := m.Contacts
	if m.Contact != nil {
		contacts = append([]ContactCard{*m.Contact}, contacts...)
	}
	for _, k := range contacts {
		parts = append(parts, k.Name, k.Phone)
	}
	if m.Poll != nil {
		parts = append(append(parts, m.Poll.Question), m.Poll.Options...)
	}
	return strings.Join(parts, "\n"), nil
}

// saveContent saves a message whose content has changed, and what is searched of it.
func (c *change) saveContent(row *models.Message) error {
	text, err := searchText(row)
	if err != nil {
		return err
	}
	return c.tx.SaveContent(row, text)
}

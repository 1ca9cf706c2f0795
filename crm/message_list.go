package crm

import (
	"context"
	"encoding/json"

	"chatcast/models"
)

// HistoryItem is a message in a list: the item of its event, and what has changed
// since. Times are unix seconds.
type HistoryItem struct {
	MessageItem
	InternalID int64           `json:"internalId"` // position in the chat's list, for lastInternalId
	Status     string          `json:"status"`     // "", sent, delivered, viewed or failed; for our messages
	StatusTime *int64          `json:"statusTime"`
	Played     bool            `json:"played,omitempty"` // it was listened to or watched, too, when viewed
	Error      json.RawMessage `json:"error"`            // why it failed
	EditedAt   *int64          `json:"editedAt"`
	DeletedAt  *int64          `json:"deletedAt"` // when set, the content is erased
	ChatNumber int64           `json:"-"`         // see ChatNumbered
}

// Directions of a list of messages.
const (
	DirectionPrev = "prev" // into the past, the newest first
	DirectionNext = "next" // towards now, the oldest first
)

// MessageQuery selects one page of a chat's messages. The page begins after
// LastInternalID if that is set, else at LastTime (unix seconds, included) if that is
// set, else at the chat's end, or with DirectionNext at its beginning. NextPage, when
// given, contains the position and the direction.
type MessageQuery struct {
	PageQuery
	Direction      string // empty: that of NextPage, or prev
	LastTime       *int64
	LastInternalID *int64
}

// Messages lists the messages of a chat.
func (s *Service) Messages(ctx context.Context, a Actor, at ChatAddress, q MessageQuery) (page Page[HistoryItem], err error) {
	const lists = "messages-"
	switch q.Direction {
	case DirectionPrev, DirectionNext:
	case "":
		q.Direction = DirectionPrev
		if q.list() == lists+DirectionNext {
			q.Direction = DirectionNext
		}
	default:
		return page, Invalid("direction", "must be prev or next")
	}
	list := lists + q.Direction
	after, limit, err := q.start(list, 2)
	if err != nil {
		return page, err
	}
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return page, err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, read)
	if err != nil {
		return page, err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return page, err
	}
	from, err := q.from(tx, chat.ID, after)
	if err != nil {
		return page, err
	}
	rows, err := tx.Messages(chat.ID, q.Direction == DirectionNext, from, limit+1)
	if err != nil {
		return page, err
	}
	items, err := v.histories(tx, rows[:min(len(rows), limit)], chat)
	if err != nil {
		return page, err
	}
	if after == nil {
		s.wantPicture(chat)
	}
	page = pageOf(list, rows, limit, func(m *models.Message) []int64 { return []int64{m.Time, m.ID} },
		func(m *models.Message) HistoryItem { return items[m.ID] })
	return page, nil
}

// from returns the position after which the page begins, or nil for the beginning of
// the list.
func (q MessageQuery) from(tx *models.Tx, chatID int64, after []int64) (*models.TimeKey, error) {
	if after != nil {
		return &models.TimeKey{Time: after[0], ID: after[1]}, nil
	}
	if q.LastInternalID != nil {
		row, err := tx.MessageRow(chatID, *q.LastInternalID)
		if err != nil {
			return nil, orInvalid(err, "lastInternalId", "is not a message of this chat")
		}
		return &models.TimeKey{Time: row.Time, ID: row.ID}, nil
	}
	if q.LastTime == nil {
		return nil, nil
	}
	if q.Direction == DirectionNext {
		return &models.TimeKey{Time: *q.LastTime, ID: 0}, nil
	}
	return &models.TimeKey{Time: *q.LastTime, ID: 1<<63 - 1}, nil
}

// histories converts rows of a chat to list items, by row id.
func (v renderer) histories(tx *models.Tx, rows []*models.Message, chat *models.Chat) (map[int64]HistoryItem, error) {
	var ids []string
	for _, row := range rows {
		refers, err := v.related(row)
		if err != nil {
			return nil, err
		}
		ids = append(ids, refers...)
	}
	related, err := tx.MessagesByExternal(chat.ID, ids)
	if err != nil {
		return nil, err
	}
	items := make(map[int64]HistoryItem, len(rows))
	for _, row := range rows {
		item, err := v.item(row, chat, related)
		if err != nil {
			return nil, err
		}
		h := HistoryItem{
			MessageItem: item, InternalID: row.ID, Status: row.Status, StatusTime: row.StatusTime, Played: row.Played,
			EditedAt: row.EditedAt, DeletedAt: row.DeletedAt, ChatNumber: row.ChatID,
		}
		if row.Error != nil {
			h.Error = json.RawMessage(*row.Error)
		}
		items[row.ID] = h
	}
	return items, nil
}

// history converts one row to a list item.
func (v renderer) history(tx *models.Tx, row *models.Message, chat *models.Chat) (HistoryItem, error) {
	items, err := v.histories(tx, []*models.Message{row}, chat)
	return items[row.ID], err
}

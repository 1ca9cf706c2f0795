package crm

import (
	"context"
	"errors"
	"math"

	"chatcast/models"
)

// LineMessageQuery selects messages of a line, the newest first. Zero fields do not filter.
type LineMessageQuery struct {
	ID       string // of the message
	ChatID   string
	FromMe   *bool
	From, To int64 // unix seconds, included
	// Match filters further. It must be quick.
	Match       func(*HistoryItem) bool
	Skip, Limit int
	Uncounted   bool // nothing is read beyond Limit, so that Total is not all
}

// LineMessageList is a part of the messages that a LineMessageQuery selects. Total is how many
// there are; beyond maxCounted they are not counted, and with filters only among as many are
// looked for.
type LineMessageList struct {
	Items []HistoryItem
	Total int
}

// maxCounted bounds what one request for messages of a line reads: its cost must not grow with
// the table.
const maxCounted = 5000

// LineMessages lists messages of a line in chats that the actor may see. The chats are read in
// the order of their last messages, so that reactions in chats of earlier activity come later.
func (s *Service) LineMessages(ctx context.Context, a Actor, on Line, q LineMessageQuery) (list LineMessageList, err error) {
	if q.Skip < 0 || q.Limit < 1 || q.Skip+q.Limit > maxCounted {
		return list, Invalid("limit", "must be at least 1, and together with what is skipped at most %d", maxCounted)
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return list, err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return list, err
	}
	if q.ID != "" && checkID("id", q.ID) != nil { // no message has such an id, and a database may refuse it
		return list, nil
	}
	r := &lineReader{tx: tx, v: v, l: l, a: a, q: q, read: maxCounted}
	switch {
	case q.ID != "":
		err = r.byID()
	case q.ChatID != "":
		var chat *models.Chat
		if chat, err = l.seenChat(tx, a, q.ChatID); isNotFound(err) {
			return list, nil
		}
		if err == nil {
			r.streams, r.noMore = []*messageStream{{chat: chat}}, true
			err = r.merge()
		}
	default:
		err = r.merge()
	}
	return LineMessageList{Items: r.items, Total: r.total}, err
}

// LineMessage returns a message of a line by its id, in any chat that the actor may see.
func (s *Service) LineMessage(ctx context.Context, a Actor, on Line, id string) (*HistoryItem, error) {
	if err := checkID("id", id); err != nil {
		return nil, notFound("message")
	}
	list, err := s.LineMessages(ctx, a, on, LineMessageQuery{ID: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, notFound("message")
	}
	return &list.Items[0], nil
}

// lineReader reads the messages of one LineMessageQuery.
type lineReader struct {
	tx *models.Tx
	v  renderer
	l  *line
	a  Actor
	q  LineMessageQuery

	streams []*messageStream // of the chats that were opened
	chats   []models.Chat    // that are to be opened next
	after   *models.TimeKey  // where the next chats are
	noMore  bool             // there are no further chats
	read    int              // how many rows may be read still

	items []HistoryItem
	total int
}

// messageStream is the messages of one chat, the newest first.
type messageStream struct {
	chat *models.Chat
	rows []HistoryItem
	from *models.TimeKey
	over bool
}

// byID finds the messages with an id. Several chats may have one.
func (r *lineReader) byID() error {
	rows, err := r.tx.MessagesOfLine(r.l.licenseID, r.l.messenger, []string{r.q.ID})
	if err != nil {
		return err
	}
	for _, row := range rows {
		chat, err := r.tx.ChatRow(row.ChatID)
		if errors.Is(err, models.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if r.q.ChatID != "" {
			key, err := ParseChatID("chatId", r.l.messenger, r.q.ChatID)
			if err != nil || key.External != chat.ExternalID && (chat.LID == nil || key.External != *chat.LID) {
				continue
			}
		}
		sees, err := r.l.sees(r.tx, r.a, chat)
		if err != nil || !sees {
			if err != nil {
				return err
			}
			continue
		}
		item, err := r.v.history(r.tx, row, chat)
		if err != nil {
			return err
		}
		r.take(item)
	}
	return nil
}

// take adds a message to the answer if the query selects it.
func (r *lineReader) take(m HistoryItem) {
	if r.q.FromMe != nil && *r.q.FromMe != m.FromMe || r.q.From > 0 && m.Time < r.q.From || r.q.To > 0 && m.Time > r.q.To || r.q.Match != nil && !r.q.Match(&m) {
		return
	}
	if r.total++; r.total > r.q.Skip && len(r.items) < r.q.Limit {
		r.items = append(r.items, m)
	}
}

// merge takes messages of all chats, the newest first, until nothing is left or enough was read.
func (r *lineReader) merge() error {
	for {
		best, err := r.newest()
		if best == nil || err != nil {
			return err
		}
		m := best.rows[0]
		best.rows = best.rows[1:]
		if r.q.From > 0 && m.Time < r.q.From {
			if r.noMore && len(r.streams) == 1 {
				return nil
			}
			best.rows, best.over = nil, true
			continue
		}
		r.take(m)
		if r.q.Uncounted && len(r.items) == r.q.Limit {
			return nil
		}
	}
}

// newest returns the stream with the newest message, or nil when there is none. It opens the
// chats that may have a newer one.
func (r *lineReader) newest() (best *messageStream, err error) {
	for {
		best = nil
		for _, s := range r.streams {
			if err := r.fill(s); err != nil {
				return nil, err
			}
			if len(s.rows) > 0 && (best == nil || newer(&s.rows[0], &best.rows[0])) {
				best = s
			}
		}
		more, err := r.nextChat()
		if err != nil || more == nil || best != nil && more.LastTime < best.rows[0].Time {
			return best, err
		}
		r.chats = r.chats[1:]
		r.streams = append(r.streams, &messageStream{chat: more})
	}
}

func newer(a, b *HistoryItem) bool {
	return a.Time > b.Time || a.Time == b.Time && a.InternalID > b.InternalID
}

// chunk is how many chats, and messages of a chat, are read at once.
const chunk = 50

// nextChat returns the chat that is to be opened next, or nil when there is none or none may be
// read.
func (r *lineReader) nextChat() (*models.Chat, error) {
	if len(r.chats) == 0 && !r.noMore && r.read > 0 {
		rows, err := r.tx.Chats(models.ChatFilter{
			ViewerID: r.a.UserID, LicenseID: r.l.licenseID, MessengerType: r.l.messenger, OnlyMine: r.l.access.OnlyMine, After: r.after, Limit: chunk,
		})
		if err != nil {
			return nil, err
		}
		r.chats, r.noMore, r.read = rows, len(rows) < chunk, r.read-len(rows)
		if n := len(rows); n > 0 {
			r.after = &models.TimeKey{Time: rows[n-1].LastTime, ID: rows[n-1].ID}
		}
	}
	if len(r.chats) == 0 || r.read <= 0 {
		return nil, nil
	}
	return &r.chats[0], nil
}

// fill reads the next messages of a stream that has none.
func (r *lineReader) fill(s *messageStream) error {
	if len(s.rows) > 0 || s.over || r.read <= 0 {
		return nil
	}
	if s.from == nil && r.q.To > 0 {
		s.from = &models.TimeKey{Time: r.q.To, ID: math.MaxInt64}
	}
	rows, err := r.tx.Messages(s.chat.ID, false, s.from, chunk)
	if err != nil {
		return err
	}
	r.read -= len(rows)
	s.over = len(rows) < chunk
	items, err := r.v.histories(r.tx, rows, s.chat)
	for _, row := range rows {
		s.rows = append(s.rows, items[row.ID])
		s.from = &models.TimeKey{Time: row.Time, ID: row.ID}
	}
	return err
}

package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"chatcast/models"
)

// renderer converts the rows of one line to event payloads.
type renderer struct {
	line Line
	link func(l Line, fileID string) string
	// picture is link for the picture of a chat: it is the same for a day, so that
	// clients can keep what it leads to.
	picture func(l Line, fileID string) string
}

// stored returns the content of a message as its row stores it.
func (v renderer) stored(row *models.Message) (m Content, err error) {
	if err = json.Unmarshal([]byte(row.Content), &m); err != nil {
		err = fmt.Errorf("content of message %d: %w", row.ID, err)
	}
	return m, err
}

// content returns the content of a message as events show it, with a new link to its
// file.
func (v renderer) content(row *models.Message) (Content, error) {
	m, err := v.stored(row)
	if err != nil {
		return m, err
	}
	if m.File != nil {
		if id, ours := strings.CutPrefix(m.File.Link, storedLink); ours {
			m.File.Link = v.link(v.line, id)
		}
	}
	if m.Reaction != nil {
		m.Reaction.MessageID = MakeID(v.line.Messenger, m.Reaction.MessageID.String())
	}
	for i := range m.Mentions {
		m.Mentions[i].ID = MakeID(v.line.Messenger, m.Mentions[i].ID.String())
	}
	if m.Vote != nil {
		m.Vote.MessageID = MakeID(v.line.Messenger, m.Vote.MessageID.String())
	}
	return m, nil
}

func (v renderer) author(row *models.Message) (Author, error) {
	var a Author
	if err := json.Unmarshal([]byte(row.Author), &a); err != nil {
		return a, fmt.Errorf("author of message %d: %w", row.ID, err)
	}
	a.ID = MakeID(v.line.Messenger, a.ID.String())
	return a, nil
}

func side(row *models.Message) string {
	if row.FromMe {
		return SideOut
	}
	return SideIn
}

// related returns the ids of the messages that a message refers to: the one that it answers,
// and the one that it is a reaction to or a vote in.
func (v renderer) related(row *models.Message) (ids []string, err error) {
	if row.QuotedExternalID != nil {
		ids = append(ids, *row.QuotedExternalID)
	}
	if row.Type != MessageReaction && row.Type != MessagePoll {
		return ids, nil
	}
	m, err := v.stored(row)
	if id := m.about(); id != "" {
		ids = append(ids, id)
	}
	return ids, err
}

// origin returns what events tell of a message that is there.
func (v renderer) origin(row *models.Message) (*MessageOrigin, error) {
	author, err := v.author(row)
	return &MessageOrigin{FromMe: row.FromMe, Time: row.Time, Type: row.Type, FromUser: author}, err
}

// item converts a message to the item of the event message. related has the rows of the
// messages that it refers to, as far as they are there.
func (v renderer) item(row *models.Message, chat *models.Chat, related map[string]*models.Message) (MessageItem, error) {
	content, err := v.content(row)
	if err != nil {
		return MessageItem{}, err
	}
	if about := related[content.about()]; about != nil {
		of, err := v.origin(about)
		if err != nil {
			return MessageItem{}, err
		}
		content.tell(of)
	}
	var quoted *models.Message
	if row.QuotedExternalID != nil {
		quoted = related[*row.QuotedExternalID]
	}
	author, err := v.author(row)
	if err != nil {
		return MessageItem{}, err
	}
	q, err := v.quoted(row, quoted)
	if err != nil {
		return MessageItem{}, err
	}
	card := chatCard(chat)
	card.Image = v.image(card.Image)
	item := MessageItem{
		ID: MakeID(v.line.Messenger, row.ExternalID), FromAPI: row.FromAPI, FromMe: row.FromMe, Side: side(row),
		Time: row.Time, IsForwarded: row.IsForwarded, Type: row.Type, Subtype: row.Subtype,
		Message: content, QuotedMessage: q, FromUser: author, Chat: card, Created: idRef(row.CreatedBy),
	}
	if row.AppID != nil {
		item.FromApp = &AppRef{ID: *row.AppID}
	}
	if row.UTM != nil {
		item.UTM = json.RawMessage(*row.UTM)
	}
	return item, nil
}

// quoted returns the message that answer answers. row is its row, or nil.
func (v renderer) quoted(answer, row *models.Message) (*QuotedMessage, error) {
	if answer.QuotedExternalID == nil {
		return nil, nil
	}
	q := &QuotedMessage{ID: MakeID(v.line.Messenger, *answer.QuotedExternalID)}
	if row == nil {
		return q, q.told(answer)
	}
	content, err := v.content(row)
	if err != nil {
		return nil, err
	}
	author, err := v.author(row)
	if err != nil {
		return nil, err
	}
	s := side(row)
	q.InternalID, q.FromMe, q.Side, q.Time, q.Type = &row.ID, &row.FromMe, &s, &row.Time, &row.Type
	q.Message, q.FromUser = &content, &author
	return q, nil
}

// statusItem converts a message's status to the item of the event messageStatus.
func (v renderer) statusItem(row *models.Message, chat *models.Chat) MessageStatusItem {
	item := MessageStatusItem{
		ID: MakeID(v.line.Messenger, row.ExternalID), Type: row.Status, Played: row.Played,
		Chat: ChatStatusCard{ID: chat.ExternalID, Hash: chat.Hash, Type: chat.Type, Phone: chat.Phone, Username: chat.Username},
	}
	if row.AppID != nil {
		item.FromApp = &AppTracking{ID: *row.AppID, Tracking: row.Tracking}
	}
	if row.Error != nil {
		item.Error = json.RawMessage(*row.Error)
	}
	if row.StatusTime != nil {
		item.Time = *row.StatusTime
	}
	return item
}

// renderer returns the renderer of the line.
func (s *Service) renderer(ctx context.Context, on Line) (renderer, error) {
	key, err := s.fileKey(ctx)
	if err != nil {
		return renderer{}, err
	}
	epoch, err := s.Store.Read(ctx).LinkEpoch(on.LicenseID)
	if err != nil {
		return renderer{}, err
	}
	until := func(expires int64) func(Line, string) string {
		return func(l Line, id string) string {
			return s.PublicURL + filePath(l, id) + "?expires=" + strconv.FormatInt(expires, 10) + "&signature=" + signFile(key, l, id, expires, epoch)
		}
	}
	now := s.Now().Unix()
	return renderer{line: on, link: until(now + LinkLife), picture: until((now/LinkLife + 2) * LinkLife)}, nil
}

// image returns the link to the picture of a chat or a contact, as events show it.
func (v renderer) image(stored *string) *string {
	if stored == nil {
		return nil
	}
	id, ours := strings.CutPrefix(*stored, storedLink)
	if !ours {
		return stored
	}
	link := v.picture(v.line, id)
	return &link
}

// renderers returns a function that makes the renderer of each line once.
func (s *Service) renderers(ctx context.Context) func(on Line) (renderer, error) {
	made := map[Line]renderer{}
	return func(on Line) (v renderer, err error) {
		v, ok := made[on]
		if !ok {
			if v, err = s.renderer(ctx, on); err == nil {
				made[on] = v
			}
		}
		return v, err
	}
}

package crm

import (
	"encoding/json"
	"errors"
	"fmt"

	"chatcast/models"
)

// Quote is what an answer itself tells of the message that it answers. It is shown when
// that message is not here.
type Quote struct {
	Type     string       `json:"type"`
	FromMe   *bool        `json:"fromMe"` // nil: not known
	Message  Content      `json:"message"`
	FromUser *InboundUser `json:"-"` // nil: not known
	Author   *Author      `json:"fromUser"`
}

// check returns the quote as its row stores it.
func (q *Quote) check(messenger, at string) (*string, error) {
	if q == nil {
		return nil, nil
	}
	stored := *q
	violations := []error{q.Message.check(at+"message.", q.Type, MaxText)}
	if !messageTypeForm.MatchString(q.Type) {
		violations = append(violations, Invalid(at+"type", "must be a type of message"))
	}
	mentions, err := checkMentions(messenger, at+"message.mentions", q.Message.Mentions)
	stored.Message.Mentions = mentions
	violations = append(violations, err)
	if q.FromUser != nil {
		author, _, err := q.FromUser.check(messenger, at+"fromUser.", true)
		stored.Author, violations = &author, append(violations, err)
	}
	if err := allViolations(violations...); err != nil {
		return nil, err
	}
	b, err := json.Marshal(stored)
	text := string(b)
	return &text, err
}

// settleQuote removes the quote of a new message when the quoted message is here, and what
// it tells of that message when that was deleted.
func (c *change) settleQuote(chats *chatSet, chat *models.Chat, row *models.Message) error {
	if row.Quote == nil || row.QuotedExternalID == nil {
		return nil
	}
	_, err := c.tx.MessageByExternal(chat.ID, *row.QuotedExternalID)
	if !errors.Is(err, models.ErrNotFound) {
		row.Quote = nil
		return err
	}
	for _, d := range chats.deletionsOf(chat, *row.QuotedExternalID) {
		q, err := decodeQuote(row)
		if err != nil {
			return err
		}
		may, err := c.mayErase(chats.line, chat, q, d)
		if err != nil {
			return err
		}
		if may {
			return q.erase(row)
		}
	}
	return nil
}

func decodeQuote(row *models.Message) (q Quote, err error) {
	if err = json.Unmarshal([]byte(*row.Quote), &q); err != nil {
		err = fmt.Errorf("crm: the quote of message %d: %w", row.ID, err)
	}
	return q, err
}

// erase removes what the quoted message says from the row of the answer. The rest stays, as
// it does of a message that is here.
func (q Quote) erase(row *models.Message) error {
	q.Message = Content{}
	b, err := json.Marshal(q)
	row.Quote = given(string(b))
	return err
}

// told fills q with what the answer row tells of a message that is not here.
func (q *QuotedMessage) told(row *models.Message) error {
	if row.Quote == nil || row.DeletedAt != nil {
		return nil
	}
	stored, err := decodeQuote(row)
	if err != nil {
		return err
	}
	q.Type, q.Message, q.FromMe, q.FromUser = &stored.Type, &stored.Message, stored.FromMe, stored.Author
	if stored.FromMe != nil {
		s := side(&models.Message{FromMe: *stored.FromMe})
		q.Side = &s
	}
	return nil
}

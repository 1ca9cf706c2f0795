package crm

import (
	"context"
	"errors"
	"math"

	"chatcast/models"
)

// Ingest takes what a connector brings from the outside, in one transaction: it is
// committed when Take returns nil, and the outside may forget it then. The same
// again changes nothing. Attachments are spent, whatever the outcome.
//
// CodeInvalid says that a part can never be taken; CodeNotFound, that the line is
// gone. Any other error is ours and may pass: bring it again.
func (s *Service) Ingest(ctx context.Context, on Line, t InboundBatch) (answer InboundResult, err error) {
	defer func() { t.discard(answer, err) }()
	b, err := t.batch(on.Messenger, s.Now().Unix())
	if err != nil {
		return answer, err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return answer, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, err := lineForConnector(c.tx, on)
		if err != nil {
			return err
		}
		answer, err = c.applyInbound(l, v, b)
		return err
	})
	return answer, err
}

// lineForConnector is the line as those see it who need no leave: its own connector.
func lineForConnector(tx *models.Tx, on Line) (*line, error) {
	l, err := tx.LineOf(on.LicenseID, on.Messenger)
	if err != nil {
		return nil, orNotFound(err, "license or messenger")
	}
	return &line{companyID: l.CompanyID, licenseID: on.LicenseID, messenger: on.Messenger}, nil
}

// discard removes the attachments that no message got. After an error that is ours
// the commit may have happened all the same: they stay, and Sweep removes those
// without a message.
func (t *InboundBatch) discard(answer InboundResult, err error) {
	var refused *Error
	for i := range t.Messages {
		taken := err == nil && answer.Messages[i].Result != ResultDuplicate
		if !taken && (err == nil || errors.As(err, &refused)) {
			t.Messages[i].Attachment.Discard()
		}
	}
}

// applyInbound is everything that a batch brings, in the order in which one part may need
// another. Tags are locked before chats, always.
func (c *change) applyInbound(l *line, v renderer, b batch) (answer InboundResult, err error) {
	c.quiet = b.history
	answer = InboundResult{Messages: []InboundMessageResult{}, Statuses: []InboundStatusResult{}}
	tags, err := c.applyLabels(l, b)
	if err != nil {
		return answer, err
	}
	chats, err := c.inboundChats(l, b)
	if err != nil {
		return answer, err
	}
	if err := c.applyContacts(l, chats, b); err != nil {
		return answer, err
	}
	if answer.Messages, err = each(answer.Messages, b.messages, func(m *arrival) (InboundMessageResult, error) {
		return c.receive(v, chats, m)
	}); err != nil {
		return answer, err
	}
	if answer.Edits, err = each(nil, b.edits, func(e *editArrival) (string, error) { return c.applyEdit(v, chats, e) }); err != nil {
		return answer, err
	}
	if answer.Deletes, err = each(nil, b.deletes, func(d *deleteArrival) (string, error) { return c.applyDelete(v, chats, d) }); err != nil {
		return answer, err
	}
	if answer.Statuses, err = each(answer.Statuses, b.statuses, func(st *statusArrival) (InboundStatusResult, error) {
		return c.receiveStatus(v, chats, st)
	}); err != nil {
		return answer, err
	}
	if answer.Reads, err = each(nil, b.reads, func(r *readArrival) (string, error) { return c.applyRead(chats, r) }); err != nil {
		return answer, err
	}
	if answer.Tags, err = each(nil, b.tags, func(t *tagArrival) (string, error) { return c.applyTag(chats, tags, t) }); err != nil {
		return answer, err
	}
	answer.Archives, err = each(nil, b.archives, func(a *archiveArrival) (string, error) { return c.applyArchive(chats, a) })
	return answer, err
}

// each appends what f makes of every item, until it fails.
func each[T, R any](results []R, items []T, f func(*T) (R, error)) ([]R, error) {
	for i := range items {
		r, err := f(&items[i])
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// applyContacts takes who and where: what is one, what it is called.
func (c *change) applyContacts(l *line, chats *chatSet, b batch) error {
	for _, key := range b.aliases {
		chat := chats.find(inboundChat{key: key})
		if chat != nil {
			if err := chats.link(c, chat, key); err != nil {
				return err
			}
		}
		if err := c.linkContacts(l, key); err != nil {
			return err
		}
	}
	if err := c.inboundContacts(l, b); err != nil {
		return err
	}
	for i := range b.chats {
		in := &b.chats[i]
		chat := chats.find(*in)
		if chat == nil {
			continue
		}
		if err := chats.link(c, chat, in.key); err != nil {
			return err
		}
		before := *chat
		if b.history {
			in.fill(chat)
		} else {
			in.describe(chat, "")
		}
		if chatCard(chat) == chatCard(&before) {
			continue
		}
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
	}
	return nil
}

// applyRead counts as read what the account read elsewhere.
func (c *change) applyRead(chats *chatSet, r *readArrival) (string, error) {
	chat := chats.find(r.chat)
	if chat == nil {
		return ResultUnknown, nil
	}
	if chat.Unread == 0 {
		return ResultUnchanged, nil
	}
	until := models.TimeKey{Time: r.time, ID: math.MaxInt64}
	if r.upTo != "" {
		row, err := c.tx.MessageByExternal(chat.ID, r.upTo)
		if err == nil {
			until = models.TimeKey{Time: row.Time, ID: row.ID}
		} else if !errors.Is(err, models.ErrNotFound) {
			return "", err
		}
	}
	left, err := c.tx.CountReceived(chat.ID, until)
	if err != nil || left >= chat.Unread {
		return ResultUnchanged, err
	}
	chat.Unread = left
	if err := c.tx.SaveChat(chat); err != nil || left > 0 {
		return ResultAccepted, err
	}
	return ResultAccepted, c.emitChat(chat, EventChatRead, ChatReadItem{Chat: ChatRef{ID: chat.ExternalID}})
}

// applyArchive closes or opens a chat.
func (c *change) applyArchive(chats *chatSet, a *archiveArrival) (string, error) {
	chat := chats.find(a.chat)
	if chat == nil {
		return ResultUnknown, nil
	}
	status := models.ChatOpen
	if a.archived {
		status = models.ChatClose
	}
	if chat.Status == status {
		return ResultUnchanged, nil
	}
	return ResultAccepted, c.setChatStatus(Actor{}, chat, status)
}

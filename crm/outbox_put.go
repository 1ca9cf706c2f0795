package crm

import (
	"encoding/json"
	"errors"
	"fmt"

	"chatcast/models"
)

// maxReads is how many messages one read mark names.
const maxReads = 200

// outbox puts things into the outbox of a line in the transaction of the action
// that wants them. Of a line that is a bridge it does nothing: its program reads
// the journal.
type outbox struct {
	c             *change
	line          Line
	deadline      int64
	firstContacts int // Options.ColdPerDay
}

// outbox returns the outbox of the line; nil when it is a bridge. The connector hears
// after the commit that there is more.
func (s *Service) outbox(c *change, on Line) (*outbox, error) {
	x, connector, err := s.account(c.tx, on)
	if x == nil || err != nil {
		return nil, err
	}
	within := s.SendWithin
	if within == 0 {
		within = DefaultSendWithin
	}
	c.after = append(c.after, func() { connector.Queue(on) })
	return &outbox{c: c, line: on, deadline: c.now.Add(within).Unix(), firstContacts: s.FirstContactsPerDay}, nil
}

func (o *outbox) put(chat *models.Chat, kind string, messageID *int64, payload string, firstContact bool) error {
	return o.c.tx.AddOutbox(&models.OutboxItem{
		LicenseID: o.line.LicenseID, MessengerType: o.line.Messenger, ChatID: chat.ID, Kind: kind, MessageID: messageID,
		Payload: payload, FirstContact: firstContact, CreatedAt: o.c.now.Unix(), Deadline: o.deadline,
	})
}

// send puts in a message that was just recorded.
func (o *outbox) send(chat *models.Chat, row *models.Message) error {
	if o == nil {
		return nil
	}
	known, err := o.c.tx.HasMessages(chat.ID, row.ID)
	if err != nil {
		return err
	}
	if !known && chat.Type == models.ChatPrivate {
		if err := o.limitNewContacts(); err != nil {
			return err
		}
	}
	return o.put(chat, OutMessage, &row.ID, "", !known)
}

// limitNewContacts counts that the line writes first to somebody, and refuses it when that
// was often enough for a day: messengers ban who writes to too many strangers.
func (o *outbox) limitNewContacts() error {
	if o.firstContacts <= 0 {
		return nil
	}
	const day = 24 * 60 * 60
	on, now := o.line, o.c.now.Unix()
	if _, err := o.c.tx.LockMessengerSession(on.LicenseID, on.Messenger); err != nil { // one counts at a time
		return err
	}
	nth, err := o.c.tx.FirstContact(on.LicenseID, on.Messenger, o.firstContacts)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if err == nil && nth.At > now-day {
		return &Error{
			Code: CodeThrottled, RetryAfter: int(nth.At + day - now),
			Message: fmt.Sprintf("the line has written first to %d people in 24 hours, which is its limit; people who wrote to it can be answered", o.firstContacts),
		}
	}
	return o.c.tx.AddFirstContact(&models.FirstContact{LicenseID: on.LicenseID, MessengerType: on.Messenger, At: now}, now-day)
}

// edit puts in that a message says something else. What was not tried yet says
// the new text when it is. before is what it said.
func (o *outbox) edit(chat *models.Chat, row *models.Message, before previousContent) error {
	if o == nil || row.Status == models.StatusFailed {
		return nil
	}
	waiting, err := o.c.tx.LockOutboxOf(row.ID)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if w.Attempts == 0 && (w.Kind == OutMessage || w.Kind == OutEdit) {
			return nil
		}
	}
	payload, err := before.payload()
	if err != nil {
		return err
	}
	return o.put(chat, OutEdit, &row.ID, payload, false)
}

// delete puts in that a message is deleted for all. One that was never tried is
// just not sent. before is what it said.
func (o *outbox) delete(chat *models.Chat, row *models.Message, before previousContent) error {
	if o == nil || row.Status == models.StatusFailed {
		return nil
	}
	waiting, err := o.c.tx.LockOutboxOf(row.ID)
	if err != nil {
		return err
	}
	delivered, edits := true, 0
	for _, w := range waiting {
		switch {
		case w.Kind == OutMessage && w.Attempts == 0:
			delivered = false
		case w.Kind == OutMessage:
			before.Unsent = true
		case w.Kind == OutEdit && edits == 0: // it knows what people have
			known := previousContent{Unsent: before.Unsent}
			if err := json.Unmarshal([]byte(w.Payload), &known); err != nil {
				return err
			}
			before = known
			edits++
		}
		if err := o.c.tx.DeleteOutbox(w.ID); err != nil {
			return err
		}
	}
	if !delivered {
		return nil
	}
	payload, err := before.payload()
	if err != nil {
		return err
	}
	return o.put(chat, OutDelete, &row.ID, payload, false)
}

// read puts in that the unread messages of a chat were read.
func (o *outbox) read(chat *models.Chat, unread int64) error {
	if o == nil {
		return nil
	}
	rows, err := o.c.tx.NewestReceived(chat.ID, int(min(unread, maxReads)))
	if err != nil || len(rows) == 0 {
		return err
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	payload, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return o.put(chat, OutRead, nil, string(payload), false)
}

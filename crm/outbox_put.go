package crm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"chatcast/models"
)

// maxReads is how many messages one read mark names at most.
const maxReads = 200

// outbox adds items to the outbox of a line, in the transaction of the action that
// causes them. For a bridge it is nil and does nothing: the bridge's program reads the
// journal.
type outbox struct {
	c             *change
	line          Line
	connector     Messenger
	deadline      int64
	firstContacts int // Options.FirstContactsPerDay
}

// outbox returns the outbox of the line, or nil when the line is a bridge. The
// connector is notified after the commit.
func (s *Service) outbox(c *change, on Line) (*outbox, error) {
	x, connector, err := s.account(c.tx, on)
	if x == nil || err != nil {
		return nil, err
	}
	c.after = append(c.after, func() { connector.Queue(on) })
	return &outbox{c: c, line: on, connector: connector, deadline: c.now.Add(s.sendWithin()).Unix(), firstContacts: s.FirstContactsPerDay}, nil
}

// sendWithin returns how long a message may wait.
func (s *Service) sendWithin() time.Duration { return cmp.Or(s.SendWithin, DefaultSendWithin) }

func (o *outbox) put(chat *models.Chat, kind string, messageID *int64, payload string, firstContact bool) error {
	before, err := o.c.tx.OutboxWait(chat.ID) // for a first message, perhaps for days
	if err != nil {
		return err
	}
	err = o.c.tx.AddOutbox(&models.OutboxItem{
		LicenseID: o.line.LicenseID, MessengerType: o.line.Messenger, ChatID: chat.ID, Kind: kind, MessageID: messageID,
		Payload: payload, FirstContact: firstContact, CreatedAt: o.c.now.Unix(), Deadline: max(o.deadline, before.Deadline), NotBefore: before.NotBefore, Held: before.NotBefore > 0,
	})
	if err != nil {
		return err
	}
	return o.c.wake(o.connector, o.line, NewsOutbox)
}

// send adds a message that was just recorded.
func (o *outbox) send(chat *models.Chat, row *models.Message) error {
	if o == nil {
		return nil
	}
	first, err := o.c.isFirst(chat, row.ID)
	if err != nil {
		return err
	}
	if first {
		if err := o.limitNewContacts(chat.ID); err != nil {
			return err
		}
		if err := o.c.addFirstContact(o.line, row, o.c.now.Unix()); err != nil {
			return err
		}
	}
	return o.put(chat, OutMessage, &row.ID, "", first)
}

// limitNewContacts refuses a first contact of the line when the limit of 24 hours is
// reached: messengers ban accounts that write to too many strangers. A second try at the
// same person is none.
func (o *outbox) limitNewContacts(chatID int64) error {
	if o.firstContacts <= 0 {
		return nil
	}
	const day = 24 * 60 * 60
	on, now := o.line, o.c.now.Unix()
	if _, err := o.c.tx.LockMessengerSession(on.LicenseID, on.Messenger); err != nil { // only one transaction counts at a time
		return err
	}
	if counts, err := o.c.tx.HasFirstContact(chatID, now-day); counts || err != nil {
		return err
	}
	at, err := o.c.tx.FirstContactAt(on.LicenseID, on.Messenger, o.firstContacts, now-day)
	if err != nil {
		return err
	}
	if at > 0 {
		return &Error{
			Code: CodeThrottled, RetryAfter: int(at + day - now),
			Message: fmt.Sprintf("the line has written first to %d people in 24 hours, which is its limit; people who wrote to it can be answered", o.firstContacts),
		}
	}
	return nil
}

// edit adds an edit of a message. It adds nothing while the message or an edit of it
// waits without an attempt, because that one will send the new content. before is the
// content before the edit.
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

// delete adds the deletion of a message for everyone. A message that was never
// attempted is simply not sent. before is the content before the deletion.
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
		case w.Kind == OutEdit && edits == 0: // the edit holds the content that people have
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
		if err := o.c.passFirst(w); err != nil {
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

// read adds a read mark for the unread messages of a chat.
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

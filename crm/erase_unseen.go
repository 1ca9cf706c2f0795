package crm

import (
	"errors"
	"maps"
	"slices"

	"chatcast/models"
)

// A message may be deleted that is not here: it is older than the pairing, or comes later
// than its deletion. The deletion is remembered, and what answers tell of the message is
// erased, those that are here and those that come later.

// deleteUnseen remembers a deletion whose message is not here.
func (c *change) deleteUnseen(v renderer, chats *chatSet, in *deleteArrival) error {
	d := models.Deletion{
		LicenseID: v.line.LicenseID, MessengerType: v.line.Messenger, ExternalID: in.ID.String(),
		FromMe: in.FromMe, DeletedBy: in.By.String(), ByAdmin: in.Admin, DeletedAt: in.time,
	}
	first := false
	for _, d.Chat = range in.chat.ids() {
		added, err := c.tx.AddDeletion(d)
		if err != nil {
			return err
		}
		first = first || added
	}
	chat := chats.find(in.chat)
	if first {
		c.emitUnseen(chats.line, chat, in)
	}
	if chat == nil {
		return nil
	}
	return c.eraseUnseen(v, chats.line, chat, d)
}

// emitUnseen tells dialects, whose clients may have got the message from elsewhere. chat is nil when
// it is not here either.
func (c *change) emitUnseen(l *line, chat *models.Chat, in *deleteArrival) {
	on := Line{LicenseID: l.licenseID, Messenger: l.messenger}
	item := UnseenItem{
		ID: MakeID(on.Messenger, in.ID.String()), Chat: ChatRef{ID: in.chat.key.External}, ChatLID: given(in.chat.key.LID),
		FromMe: in.FromMe, Post: in.Post && in.chat.key.private(), Time: in.time,
	}
	if chat != nil {
		item.Chat.ID, item.ChatLID = chat.ExternalID, chat.LID
	}
	if in.chat.key.Group && !in.Admin && !in.FromMe && in.By.String() != "" {
		by := MakeID(on.Messenger, in.By.String())
		item.By = &by
	}
	c.emitToDialects(l.companyID, on, EventUnseen, item)
}

// eraseQuotes erases what answers of a chat tell of a message, where may allows it. It
// reports whether there was anything.
func (c *change) eraseQuotes(chat *models.Chat, id string, may func(Quote) (bool, error)) (erased bool, err error) {
	answers, err := c.tx.LockQuotes(chat.ID, id)
	if err != nil {
		return false, err
	}
	for _, row := range answers {
		one, err := c.eraseQuote(row, id, may)
		if erased = erased || one; err != nil {
			return erased, err
		}
	}
	return erased, nil
}

func (c *change) eraseQuote(row *models.Message, id string, may func(Quote) (bool, error)) (erased bool, err error) {
	before := *row.Quote
	q, err := decodeQuote(row)
	if err != nil {
		return false, err
	}
	if ok, err := may(q); err != nil || !ok {
		return false, err
	}
	if err := q.erase(row); err != nil || *row.Quote == before {
		return false, err
	}
	if err := c.tx.SaveMessage(row); err != nil {
		return false, err
	}
	return true, c.redact(row.ID, id)
}

// mayErase reports whether the deletion is of the message that the quote tells of. What has
// no known author is erased: nobody could delete it otherwise.
func (c *change) mayErase(l *line, chat *models.Chat, q Quote, d models.Deletion) (bool, error) {
	if q.FromMe == nil || q.Author == nil {
		return true, nil
	}
	return c.mayDelete(l, chat, *q.FromMe, *q.Author, d)
}

// eraseDeleted erases a message that has just come, when it was deleted before.
func (c *change) eraseDeleted(v renderer, chats *chatSet, chat *models.Chat, row *models.Message) error {
	for _, d := range chats.deletionsOf(chat, row.ExternalID) {
		may, err := c.mayChange(chats.line, chat, row, d)
		if err != nil {
			return err
		}
		if may {
			return c.erase(v, Actor{}, chat, row, d.DeletedAt)
		}
	}
	return nil
}

// readDeletions loads what is remembered of the messages of a batch, and of those that they
// quote. The chats are locked: what is deleted meanwhile waits.
func (b *chatSet) readDeletions(c *change, messages []messageArrival) (err error) {
	if !b.connector || len(messages) == 0 {
		return nil
	}
	var ids []string
	for i := range messages {
		m := &messages[i].row
		if ids = append(ids, m.ExternalID); m.Quote != nil && m.QuotedExternalID != nil {
			ids = append(ids, *m.QuotedExternalID)
		}
	}
	b.deletions, err = c.tx.DeletionsOf(b.line.licenseID, b.line.messenger, ids)
	return err
}

// deletionsOf returns the deletions of a message of a chat that were remembered.
func (b *chatSet) deletionsOf(chat *models.Chat, id string) (of []models.Deletion) {
	for _, d := range b.deletions[id] {
		if d.Chat == chat.ExternalID || chat.LID != nil && d.Chat == *chat.LID {
			of = append(of, d)
		}
	}
	return of
}

// eraseMerged erases in a chat that others were merged into what was deleted in one of them
// alone, with the times, what was deleted under one of the ids before it came under another
// one, and what answers tell of deleted messages.
func (c *change) eraseMerged(l *line, chat *models.Chat, ids []string, deleted map[string]int64) error {
	v := renderer{line: Line{LicenseID: l.licenseID, Messenger: l.messenger}}
	for _, id := range slices.Sorted(maps.Keys(deleted)) {
		row, err := c.tx.LockMessage(chat.ID, id)
		if err == nil { // also when it is this one: the journal shows the other one's
			err = c.erase(v, Actor{}, chat, row, deleted[id])
		}
		if err != nil {
			return err
		}
	}
	remembered, err := c.tx.DeletionsIn(chat, ids)
	if err != nil {
		return err
	}
	for _, d := range remembered {
		if err := c.eraseRemembered(v, l, chat, d); err != nil {
			return err
		}
	}
	quoted, err := c.tx.QuotedDeleted(chat.ID)
	if err != nil {
		return err
	}
	for _, row := range quoted {
		if _, err := c.eraseQuotes(chat, row.ExternalID, anyQuote); err != nil {
			return err
		}
	}
	return nil
}

// eraseRemembered applies a deletion that was remembered to its message, if that is here, and
// to what answers tell of it.
func (c *change) eraseRemembered(v renderer, l *line, chat *models.Chat, d models.Deletion) error {
	row, err := c.tx.LockMessage(chat.ID, d.ExternalID)
	if errors.Is(err, models.ErrNotFound) {
		return c.eraseUnseen(v, l, chat, d)
	}
	if err != nil || row.DeletedAt != nil {
		return err
	}
	may, err := c.mayChange(l, chat, row, d)
	if err != nil || !may {
		return err
	}
	if err := c.forgetOutbox(row.ID); err != nil {
		return err
	}
	return c.erase(v, Actor{}, chat, row, d.DeletedAt)
}

// eraseUnseen erases what answers tell of a deleted message that is not here.
func (c *change) eraseUnseen(v renderer, l *line, chat *models.Chat, d models.Deletion) error {
	erased, err := c.eraseQuotes(chat, d.ExternalID, func(q Quote) (bool, error) { return c.mayErase(l, chat, q, d) })
	if err != nil || !erased {
		return err
	}
	return c.emitDelete(v, Actor{}, chat, d.ExternalID, d.DeletedAt, nil) // for those who show the answers
}

func anyQuote(Quote) (bool, error) { return true, nil }

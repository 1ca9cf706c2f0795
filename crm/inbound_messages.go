package crm

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"chatcast/models"
)

// isPlaceholder reports whether row is a placeholder for a message that could not be
// read.
func isPlaceholder(row *models.Message) bool {
	return row.Type == MessageUnknown && row.DeletedAt == nil && row.Subtype != nil &&
		isPlaceholderSubtype(*row.Subtype)
}

func isPlaceholderSubtype(s string) bool { return s == SubtypeUndecryptable || s == SubtypeViewOnce }

// IsPlaceholder reports whether m stands for a message that could not be read. It has no content,
// and the message itself replaces it under the same id if it comes.
func (m *MessageItem) IsPlaceholder() bool {
	return m.Type == MessageUnknown && m.Subtype != nil && isPlaceholderSubtype(*m.Subtype)
}

// replace gives a placeholder the content of its message. It keeps its place in the
// chat.
func (c *change) replace(v renderer, chats *chatSet, chat *models.Chat, row *models.Message, m *messageArrival) error {
	row.Type, row.Subtype, row.Content = m.row.Type, m.row.Subtype, m.row.Content
	row.QuotedExternalID, row.Quote = m.row.QuotedExternalID, m.row.Quote
	row.UTM, row.IsForwarded, row.Author = m.row.UTM, m.row.IsForwarded, m.row.Author
	if err := c.settleQuote(chats, chat, row); err != nil {
		return err
	}
	if m.row.Aside && !row.Aside {
		if err := c.discount(chat, row); err != nil {
			return err
		}
	}
	if err := c.saveContent(row); err != nil {
		return err
	}
	if err := c.keepFile(chat, row, m); err != nil {
		return err
	}
	return c.emitContent(v, chat, row, MessageEditItem{Time: c.now.Unix(), Cause: CauseArrived})
}

// discount makes an aside of a placeholder that was counted as a message.
func (c *change) discount(chat *models.Chat, row *models.Message) error {
	row.Aside = true
	if row.FromMe {
		return nil
	}
	later, err := c.tx.CountReceived(chat.ID, models.TimeKey{Time: row.Time, ID: row.ID})
	if err != nil || later >= chat.Unread { // it was read
		return err
	}
	chat.Unread--
	return c.tx.SaveChat(chat)
}

// keepFile adds the row of a message's attachment.
func (c *change) keepFile(chat *models.Chat, row *models.Message, m *messageArrival) error {
	if m.file == nil {
		return nil
	}
	f := *m.file // a copy: the change may be tried again
	f.LicenseID, f.ChatID, f.MessageID = chat.LicenseID, chat.ID, &row.ID
	return c.tx.AddFile(&f)
}

// applyEdit gives a message the content of its author's edit.
func (c *change) applyEdit(v renderer, chats *chatSet, e *editArrival) (string, error) {
	chat, row, result, err := c.ownMessage(chats, e.chat, e.ID, e.FromMe, e.By, false)
	if row == nil || err != nil {
		return result, err
	}
	if row.DeletedAt != nil || row.EditedAt != nil && *row.EditedAt > e.time {
		return ResultUnchanged, nil
	}
	content, err := v.stored(row)
	if err != nil {
		return "", err
	}
	before, placeholder := content, isPlaceholder(row)
	switch {
	case placeholder:
		row.Type, row.Subtype, content = e.Type, nil, e.Message
	case row.Type == MessageText:
		content.Text, content.Mentions = e.Message.Text, e.Message.Mentions
		content.ParseMode = e.Message.ParseMode // the phone has marks of its own
	case row.Type == MessagePoll && e.Message.Poll != nil:
		content.Poll = e.Message.Poll
	default:
		content.Caption, content.Mentions = e.Message.Caption, e.Message.Mentions
	}
	if !placeholder && content.Text == before.Text && content.Caption == before.Caption && reflect.DeepEqual(content.Poll, before.Poll) {
		return ResultUnchanged, nil
	}
	if err := c.saveEdit(v, Actor{}, chat, row, content, e.time, placeholder); err != nil {
		return "", err
	}
	return ResultAccepted, c.updatePreviousContent(row.ID, previousContentOf(row))
}

// applyDelete deletes a message's content.
func (c *change) applyDelete(v renderer, chats *chatSet, d *deleteArrival) (string, error) {
	chat, row, result, err := c.ownMessage(chats, d.chat, d.ID, d.FromMe, d.By, d.Admin)
	if err == nil && result == ResultUnknown && !d.IfHere {
		return result, c.deleteUnseen(v, chats, d)
	}
	if row == nil || err != nil {
		return result, err
	}
	if err := c.forgetOutbox(row.ID); err != nil {
		return "", err
	}
	if row.DeletedAt != nil {
		return ResultUnchanged, nil
	}
	return ResultAccepted, c.erase(v, Actor{}, chat, row, d.time)
}

// ownMessage finds and locks a message that a person changes, if they are its author.
// Otherwise row is nil, and result tells why. The check is needed because people can
// send a change of another person's message, and messengers forward it.
func (c *change) ownMessage(chats *chatSet, in inboundChat, id ID, fromMe bool, by ID, admin bool) (
	chat *models.Chat, row *models.Message, result string, err error) {
	if chat = chats.find(in); chat == nil {
		return nil, nil, ResultUnknown, nil
	}
	row, err = c.tx.LockMessage(chat.ID, id.String())
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil, ResultUnknown, nil
	}
	if err != nil {
		return nil, nil, "", err
	}
	may, err := c.mayChange(chats.line, chat, row, models.Deletion{FromMe: fromMe, DeletedBy: by.String(), ByAdmin: admin})
	if err != nil || !may {
		return nil, nil, ResultRefused, err
	}
	return chat, row, "", nil
}

// idsToLock returns the ids of all chats that a batch is about. For a connector's
// batch they include every chat of the line that has the message of a status.
func (c *change) idsToLock(l *line, b batch) (ids []string, err error) {
	var messages []string
	for i := range b.statuses {
		ids = append(ids, b.statuses[i].chat.ids()...)
		messages = append(messages, b.statuses[i].id)
	}
	for i := range b.messages {
		if isStatus(b.messages[i].row.Subtype) { // its chat is not created
			ids = append(ids, b.messages[i].chat.ids()...)
		}
	}
	for i := range b.aliases {
		ids = append(ids, b.aliases[i].ids()...)
	}
	for i := range b.chats {
		ids = append(ids, b.chats[i].ids()...)
	}
	for i := range b.edits {
		ids = append(ids, b.edits[i].chat.ids()...)
	}
	for i := range b.deletes {
		ids = append(ids, b.deletes[i].chat.ids()...)
	}
	for i := range b.reads {
		ids = append(ids, b.reads[i].chat.ids()...)
	}
	for i := range b.tags {
		ids = append(ids, b.tags[i].chat.ids()...)
	}
	for i := range b.archives {
		ids = append(ids, b.archives[i].chat.ids()...)
	}
	for i := range b.states {
		ids = append(ids, b.states[i].chat.ids()...)
	}
	for i := range b.gone {
		ids = append(ids, b.gone[i].ids()...)
	}
	for i := range b.calls {
		if b.calls[i].Type == CallOffer {
			ids = append(ids, b.calls[i].chat.ids()...)
		}
	}
	for i := range b.groups {
		ids = append(ids, b.groups[i].chat.ids()...)
	}
	if !b.connector {
		return ids, nil
	}
	known, err := c.chatsWith(l, messages)
	return append(ids, known...), err
}

// chatsWith returns the ids of the line's chats that have one of the messages.
func (c *change) chatsWith(l *line, messages []string) (ids []string, err error) {
	rows, err := c.tx.MessagesOfLine(l.licenseID, l.messenger, messages)
	if err != nil {
		return nil, err
	}
	var chats []int64
	for _, row := range rows {
		chats = append(chats, row.ChatID)
	}
	slices.Sort(chats)
	known, err := c.tx.ChatsByID(slices.Compact(chats))
	for _, chat := range known {
		ids = append(ids, chat.ExternalID)
	}
	return ids, err
}

// applyMessage adds one message to its chat.
func (c *change) applyMessage(v renderer, chats *chatSet, m *messageArrival) (InboundMessageResult, error) {
	r := InboundMessageResult{ID: MakeID(v.line.Messenger, m.row.ExternalID), Result: ResultAccepted}
	settled := *m // a copy: the change may be tried again
	m, settled.chat = &settled, m.chat.settled(chats.settled(c, m.chat.key))
	if isStatus(m.row.Subtype) && chats.find(m.chat) == nil {
		r.ChatID, r.Result = m.chat.key.External, ResultUnknown
		return r, nil
	}
	chat, err := chats.add(c, m.chat)
	if err != nil {
		return r, err
	}
	r.ChatID = chat.ExternalID
	known, err := c.tx.MessagesByExternal(chat.ID, []string{m.row.ExternalID})
	if err != nil {
		return r, err
	}
	if row := known[m.row.ExternalID]; row != nil {
		r.Result, r.InternalID = ResultDuplicate, row.ID
		if isPlaceholder(row) && m.row.Type != MessageUnknown {
			r.Result = ResultReplaced
			return r, c.replace(v, chats, chat, row, m)
		}
		return r, nil
	}
	if err := chats.describe(c, chat, m); err != nil {
		return r, err
	}
	row := m.row // a copy: the change may be tried again
	if err := c.settleQuote(chats, chat, &row); err != nil {
		return r, err
	}
	added, err := c.record(v, chat, &row)
	if err == nil && !added {
		err = fmt.Errorf("crm: message %q of chat %d appeared under the chat's lock", m.row.ExternalID, chat.ID)
	}
	if err != nil {
		return r, err
	}
	r.InternalID = row.ID
	if !row.FromMe && !row.Aside && chat.Type == models.ChatPrivate { // what waits for the person is an answer now
		if err := c.answerOutbox(Line{chat.LicenseID, chat.MessengerType}, chat.ID); err != nil {
			return r, err
		}
	}
	if err := c.keepFile(chat, &row, m); err != nil {
		return r, err
	}
	if err := c.eraseDeleted(v, chats, chat, &row); err != nil {
		return r, err
	}
	c.keepPast(chat, &row)
	return r, nil
}

package crm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"chatcast/models"
)

// chatSet holds the chats of a batch, whose rows are locked, by every id they have.
type chatSet struct {
	line      *line
	connector bool // of a connector's batch: messages are also found by their ids alone
	byID      map[string]*models.Chat
	rows      []*models.Chat
	deletions map[string][]models.Deletion // of messages that were not here, by message

	otherGroups []string // the ids of stored groups that are not among all of the batch
}

// inboundChats creates the new chats of the batch's messages and tags, and locks all
// chats that the batch is about. Concurrent batches cannot deadlock: chats are created
// in the order of their ids while no chat is locked, then locked in the order of their
// rows.
func (c *change) inboundChats(l *line, b batch) (*chatSet, error) {
	var chats []inboundChat
	for i := range b.messages {
		if !isStatus(b.messages[i].row.Subtype) {
			chats = append(chats, b.messages[i].chat)
		}
	}
	for i := range b.tags {
		if b.tags[i].Added {
			chats = append(chats, b.tags[i].chat)
		}
	}
	slices.SortStableFunc(chats, func(x, y inboundChat) int {
		switch {
		case x.key.External < y.key.External:
			return -1
		case x.key.External > y.key.External:
			return 1
		}
		return 0
	})
	ids, err := c.idsToLock(l, b)
	if err != nil {
		return nil, err
	}
	for i := range chats {
		ids = append(ids, chats[i].ids()...)
	}
	var otherGroups []string
	if b.allGroups != nil {
		if otherGroups, err = c.otherGroups(l, b.allGroups); err != nil {
			return nil, err
		}
		ids = append(ids, otherGroups...)
	}
	known, err := c.tx.KnownChats(l.licenseID, l.messenger, ids)
	if err != nil {
		return nil, err
	}
	if err := c.lockMissing(l, b, known); err != nil {
		return nil, err
	}
	if err := c.makeChats(l, chats, known); err != nil {
		return nil, err
	}
	set := &chatSet{line: l, connector: b.connector, byID: map[string]*models.Chat{}, otherGroups: otherGroups}
	if err := set.lock(c, ids); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(chats, set.misses) {
		return nil, errChatLost
	}
	return set, set.readDeletions(c, b.messages)
}

// errChatLost makes changeWithRetry begin again: another transaction merged a chat of the
// batch away, or took its number, before it was locked. It cannot be made here any more,
// because chats are locked, and the line is locked before them.
var errChatLost = fmt.Errorf("crm: a chat of a batch has disappeared: %w", models.ErrDuplicate)

// lockMissing locks the line before any chat when a chat of a deleted message, or of a
// connector's message, is missing. There is no row to lock then, and a message and its
// deletion that come at once would not see each other.
func (c *change) lockMissing(l *line, b batch, known map[string]bool) error {
	if !b.connector ||
		!slices.ContainsFunc(b.deletes, func(d deleteArrival) bool { return d.chat.missing(known) }) &&
			!slices.ContainsFunc(b.messages, func(m messageArrival) bool { return !isStatus(m.row.Subtype) && m.chat.missing(known) }) {
		return nil
	}
	return c.tx.LockLine(l.licenseID, l.messenger)
}

// missing reports whether none of a chat's ids is known.
func (c *inboundChat) missing(known map[string]bool) bool {
	return !slices.ContainsFunc(c.ids(), func(id string) bool { return known[id] })
}

// makeChats creates the chats that are missing, whose ids are known then.
func (c *change) makeChats(l *line, chats []inboundChat, known map[string]bool) error {
	for i := range chats {
		ch := &chats[i]
		if !ch.missing(known) {
			continue
		}
		row := ch.row(l, c.now.Unix())
		if err := c.nameNew(row); err != nil {
			return err
		}
		made, err := c.tx.EnsureChat(row)
		if err != nil {
			return err
		}
		if made && c.quiet {
			c.past.chats = append(c.past.chats, row.ID)
		}
		for _, id := range ch.ids() {
			known[id] = true
		}
	}
	return nil
}

// row returns the row of a new chat. Its first message fills in the rest.
func (c *inboundChat) row(l *line, now int64) *models.Chat {
	typ := c.Type
	if typ == "" || !c.key.private() {
		typ = c.key.chatType()
	}
	return &models.Chat{
		CompanyID: l.companyID, LicenseID: l.licenseID, MessengerType: l.messenger,
		ExternalID: c.key.External, LID: given(c.key.LID), Hash: chatHash(l.licenseID, l.messenger, c.key.External),
		Type: typ, Phone: c.phone(), Status: models.ChatOpen, CreatedAt: now,
	}
}

// ids returns all ids under which the chat may be known.
func (c *inboundChat) ids() []string {
	if c.key.External == "" {
		return nil
	}
	if c.key.LID == "" || c.key.LID == c.key.External {
		return []string{c.key.External}
	}
	return []string{c.key.External, c.key.LID}
}

// describe copies the fields that the messenger gave to the chat's row. A private chat
// without a name gets author, the name of the message's author.
func (c *inboundChat) describe(chat *models.Chat, author string) {
	if c.Hash != nil {
		chat.Hash = *c.Hash
	}
	if p := c.phone(); p != nil {
		chat.Phone = p
	}
	if c.Username != nil {
		chat.Username = c.Username
	}
	if c.Image != nil {
		chat.Image = c.Image
	}
	heard := heardName(chat.Name, chat.MessengerName)
	unnamed := heard == "" || chat.Phone != nil && heard == *chat.Phone
	c.Disappearing.apply(chat)
	if c.Name != nil && *c.Name != "" {
		hear(&chat.Name, &chat.MessengerName, *c.Name)
	} else if author = cmp.Or(c.KnownAs, author); unnamed && chat.Type == models.ChatPrivate && author != "" {
		hear(&chat.Name, &chat.MessengerName, author)
	}
}

// lock locks and enters the chats with these ids.
func (b *chatSet) lock(c *change, ids []string) error {
	rows, err := c.tx.LockChats(b.line.licenseID, b.line.messenger, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !slices.ContainsFunc(b.rows, func(r *models.Chat) bool { return r.ID == row.ID }) {
			b.rows = append(b.rows, row)
			b.enter(row)
		}
	}
	return b.dropTyped(c)
}

// misses reports whether no chat is locked that has one of the ids.
func (b *chatSet) misses(ch inboundChat) bool {
	return !slices.ContainsFunc(ch.ids(), func(id string) bool { return b.byID[id] != nil })
}

func (b *chatSet) enter(chat *models.Chat) {
	b.byID[chat.ExternalID] = chat
	if chat.LID != nil {
		b.byID[*chat.LID] = chat
	}
}

// describe copies a message's data about its chat to the chat's row. History that
// is older than the row only fills in missing fields. A new private chat also gets what
// is known of its person.
func (b *chatSet) describe(c *change, chat *models.Chat, m *messageArrival) error {
	fresh := chat.LastTime == 0
	if c.quiet && m.row.Time < chat.LastTime {
		m.chat.fill(chat)
	} else {
		m.chat.describe(chat, m.authorName)
	}
	if !b.connector || chat.Type != models.ChatPrivate || chat.Name != "" && !fresh {
		return nil
	}
	k, err := c.tx.ContactByAlias(b.line.licenseID, b.line.messenger, chat.ExternalID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	chat.Name, chat.Username = cmp.Or(chat.Name, k.Name), firstOf(chat.Username, k.Username)
	return nil
}

// fill is like describe, but only for the fields that the row lacks.
func (c *inboundChat) fill(chat *models.Chat) {
	known := *chat
	c.describe(chat, "")
	chat.Hash = known.Hash
	if heard := heardName(known.Name, known.MessengerName); heard != "" {
		hear(&chat.Name, &chat.MessengerName, heard)
	}
	chat.Phone, chat.Username, chat.Image = firstOf(known.Phone, chat.Phone), firstOf(known.Username, chat.Username), firstOf(known.Image, chat.Image)
}

// find returns the chat with either of its ids, or nil. A chat that has the number of the
// person, but the LID of another one, is not theirs.
func (b *chatSet) find(ch inboundChat) *models.Chat {
	for _, id := range ch.ids() {
		if chat := b.byID[id]; chat != nil && b.holder(id, ch.key.LID) == nil {
			return chat
		}
	}
	return nil
}

// add returns a message's chat, and links its two ids when the message has both. When
// two chats turn out to be one, the phone number's chat stays. A person whose number was
// another's before gets a chat of their own.
func (b *chatSet) add(c *change, ch inboundChat) (*models.Chat, error) {
	if err := b.free(c, ch.key); err != nil {
		return nil, err
	}
	chat := b.find(ch)
	if chat == nil {
		known, err := c.tx.KnownChats(b.line.licenseID, b.line.messenger, ch.ids())
		if err != nil {
			return nil, err
		}
		if err := c.makeChats(b.line, []inboundChat{ch}, known); err != nil {
			return nil, err
		}
		if err := b.lock(c, ch.ids()); err != nil {
			return nil, err
		}
		if chat = b.find(ch); chat == nil {
			return nil, errChatLost
		}
	}
	return chat, b.link(c, chat, ch.key)
}

// settled is chatSet.settled for a chat.
func (c inboundChat) settled(as ChatKey) inboundChat {
	if c.key != as {
		c.key, c.InboundChat.Phone = as, nil
	}
	return c
}

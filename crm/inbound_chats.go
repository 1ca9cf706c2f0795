package crm

import (
	"cmp"
	"errors"
	"slices"

	"chatcast/models"
)

// chatSet holds the chats of a batch, whose rows are locked, by every id they have.
type chatSet struct {
	line      *line
	connector bool // of a connector's batch: messages are also found by their ids alone
	byID      map[string]*models.Chat
}

// inboundChats creates the new chats of the batch's messages and tags, and locks all
// chats that the batch is about. Concurrent batches cannot deadlock: chats are created
// in the order of their ids while no chat is locked, then locked in the order of their
// rows.
func (c *change) inboundChats(l *line, b batch) (*chatSet, error) {
	var chats []inboundChat
	for i := range b.messages {
		chats = append(chats, b.messages[i].chat)
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
	// If another transaction merges a chat away between the two steps, the next
	// try creates or finds it.
	for range 3 {
		if err := c.makeChats(l, chats); err != nil {
			return nil, err
		}
		rows, err := c.tx.LockChats(l.licenseID, l.messenger, ids)
		if err != nil {
			return nil, err
		}
		set := &chatSet{line: l, connector: b.connector, byID: map[string]*models.Chat{}}
		for _, row := range rows {
			set.enter(row)
		}
		if !slices.ContainsFunc(chats, func(ch inboundChat) bool { return set.find(ch) == nil }) {
			return set, nil
		}
	}
	return nil, errors.New("crm: chats of a batch keep disappearing")
}

func (c *change) makeChats(l *line, chats []inboundChat) error {
	for i := range chats {
		ch := &chats[i]
		known := false
		for _, id := range ch.ids() {
			has, err := c.tx.HasChat(l.licenseID, l.messenger, id)
			if err != nil {
				return err
			}
			known = known || has
		}
		if known {
			continue
		}
		if _, err := c.tx.EnsureChat(ch.row(l, c.now.Unix())); err != nil {
			return err
		}
	}
	return nil
}

// row returns the row of a new chat. Its first message fills in the rest.
func (c *inboundChat) row(l *line, now int64) *models.Chat {
	typ := c.Type
	if typ == "" {
		typ = models.ChatPrivate
	}
	if c.key.Group {
		typ = models.ChatGroup
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
	unnamed := chat.Name == "" || chat.Phone != nil && chat.Name == *chat.Phone
	if c.Name != nil && *c.Name != "" {
		chat.Name = *c.Name
	} else if unnamed && chat.Type == models.ChatPrivate && author != "" {
		chat.Name = author
	}
}

func (b *chatSet) enter(chat *models.Chat) {
	b.byID[chat.ExternalID] = chat
	if chat.LID != nil {
		b.byID[*chat.LID] = chat
	}
}

// describe copies a message's data about its chat to the chat's row. History that
// is older than the row only fills in missing fields.
func (b *chatSet) describe(c *change, chat *models.Chat, m *messageArrival) error {
	if c.quiet && m.row.Time < chat.LastTime {
		m.chat.fill(chat)
	} else {
		m.chat.describe(chat, m.authorName)
	}
	if !b.connector || chat.Name != "" || chat.Type != models.ChatPrivate {
		return nil
	}
	k, err := c.tx.ContactByAlias(b.line.licenseID, b.line.messenger, chat.ExternalID)
	if err == nil {
		chat.Name = k.Name
	} else if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return nil
}

// fill is like describe, but only for the fields that the row lacks.
func (c *inboundChat) fill(chat *models.Chat) {
	known := *chat
	c.describe(chat, "")
	chat.Hash, chat.Name = known.Hash, cmp.Or(known.Name, chat.Name)
	chat.Phone, chat.Username, chat.Image = firstOf(known.Phone, chat.Phone), firstOf(known.Username, chat.Username), firstOf(known.Image, chat.Image)
}

// find returns the chat with either of its ids, or nil.
func (b *chatSet) find(ch inboundChat) *models.Chat {
	for _, id := range ch.ids() {
		if chat := b.byID[id]; chat != nil {
			return chat
		}
	}
	return nil
}

// add returns a message's chat, and links its two ids when the message has both. When
// two chats turn out to be one, the phone number's chat stays.
func (b *chatSet) add(c *change, ch inboundChat) (*models.Chat, error) {
	chat := b.find(ch)
	if chat == nil {
		return nil, errors.New("crm: a chat of the batch is not locked")
	}
	if err := b.link(c, chat, ch.key); err != nil {
		return nil, err
	}
	return b.find(ch), nil // another one, when the number belongs to another person now
}

// link gives the chat both ids, when the key has both, and joins the chat of a number
// that somebody typed for it. It saves the row when that changes it.
func (b *chatSet) link(c *change, chat *models.Chat, key ChatKey) error {
	if key.Phone == "" || key.LID == "" && key.Typed == "" {
		return nil
	}
	before := *chat
	lid := cmp.Or(key.LID, deref(chat.LID))
	var merged []*models.Chat
	if chat.ExternalID != key.External {
		merged = append(merged, &before)
	}
	if other := b.byID[lid]; other != nil && other != chat && chat.LID != nil && *chat.LID != lid {
		if err := b.leaveNumber(c, chat); err != nil {
			return err
		}
		return b.link(c, other, key)
	}
	for _, id := range []string{lid, key.Typed} {
		other := b.byID[id]
		if id == "" || other == nil || other == chat {
			continue
		}
		if err := c.tx.MergeChat(chat.ID, other.ID); err != nil {
			return err
		}
		merged = append(merged, other)
		merge(chat, other)
		b.byID[other.ExternalID] = chat
	}
	if chat.Name != "" && (chat.Name == deref(before.Phone) || phoneChat(b.line.messenger, chat.Name) == key.Typed) {
		chat.Name = key.Phone
	}
	chat.ExternalID, chat.Phone, chat.LID = key.External, &key.Phone, given(lid)
	if key.Typed != "" {
		chat.TypedID = &key.Typed
	}
	b.enter(chat)
	if len(merged) == 0 && deref(before.LID) == lid && deref(before.TypedID) == deref(chat.TypedID) {
		return nil
	}
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	for _, g := range merged {
		if err := c.emitMerge(g, chat); err != nil {
			return err
		}
	}
	return nil
}

// leaveNumber takes the number from a chat, because it belongs now to the person of
// another chat: two people must not become one. The chat goes on under its LID.
func (b *chatSet) leaveNumber(c *change, chat *models.Chat) error {
	before := *chat
	chat.ExternalID, chat.Phone, chat.TypedID = *chat.LID, nil, nil
	delete(b.byID, before.ExternalID)
	b.enter(chat)
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	return c.emitMerge(&before, chat)
}

// emitMerge emits that a chat has another id now, to the users who saw it before and
// those who see it now. It does so even for history, because clients have the old id.
func (c *change) emitMerge(from, to *models.Chat) error {
	quiet := c.quiet
	c.quiet = false
	defer func() { c.quiet = quiet }()
	return c.emitChat(to, EventChatMerge, ChatMergeItem{From: ChatRef{from.ExternalID}, To: ChatRef{to.ExternalID}}, from.ResponsibleID)
}

// merge merges other into chat. It adds the unread messages, and fills in the
// attributes that chat lacks.
func merge(chat, other *models.Chat) {
	chat.Unread += other.Unread
	chat.LastTime = max(chat.LastTime, other.LastTime)
	chat.CreatedAt = min(chat.CreatedAt, other.CreatedAt)
	if other.Status == models.ChatOpen {
		chat.Status = models.ChatOpen
	}
	if chat.Name == "" || chat.Name == deref(chat.Phone) {
		chat.Name = cmp.Or(other.Name, chat.Name)
	}
	if chat.ResponsibleID == nil {
		chat.ResponsibleID, chat.ResponsiblePinned = other.ResponsibleID, other.ResponsiblePinned
	}
	chat.TypedID = firstOf(chat.TypedID, other.TypedID)
	chat.Username = firstOf(chat.Username, other.Username)
	chat.Image = firstOf(chat.Image, other.Image)
	chat.ProducerID = firstOf(chat.ProducerID, other.ProducerID)
	chat.LevelID = firstOf(chat.LevelID, other.LevelID)
	chat.Process = firstOf(chat.Process, other.Process)
	if chat.WindowEnd == nil || other.WindowEnd != nil && *other.WindowEnd > *chat.WindowEnd {
		chat.WindowID, chat.WindowType = other.WindowID, other.WindowType
		chat.WindowStart, chat.WindowEnd = other.WindowStart, other.WindowEnd
	}
}

func firstOf[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

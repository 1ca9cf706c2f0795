package crm

import (
	"cmp"
	"errors"
	"slices"

	"chatcast/models"
)

// chatSet is the chats of a batch, their rows locked, by every id they have.
type chatSet struct {
	line      *line
	connector bool // of an account of this program's own: messages are found by their ids alone too
	byID      map[string]*models.Chat
}

// inboundChats makes the chats that messages of the batch are the first of, and
// locks all that the batch is about. Two batches at once cannot wait for one
// another in a circle: chats are made in the order of their ids while nothing is
// locked, then locked in the order of their rows.
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
	// A chat that another transaction merges away between the two steps is
	// made or found the next time.
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
			_, err := c.tx.ChatByExternal(l.licenseID, l.messenger, id)
			if err != nil && !errors.Is(err, models.ErrNotFound) {
				return err
			}
			known = known || err == nil
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

// row is a new chat. Its first message fills in the rest.
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

// ids are all that the chat may be known by.
func (c *inboundChat) ids() []string {
	if c.key.External == "" {
		return nil
	}
	if c.key.LID == "" || c.key.LID == c.key.External {
		return []string{c.key.External}
	}
	return []string{c.key.External, c.key.LID}
}

// describe copies what the messenger knows of the chat to its row. A private chat
// without a name gets its author's.
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

// describe copies what a message says of its chat to the chat's row. History that
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

// fill is describe for the fields that the row lacks.
func (c *inboundChat) fill(chat *models.Chat) {
	known := *chat
	c.describe(chat, "")
	chat.Hash, chat.Name = known.Hash, cmp.Or(known.Name, chat.Name)
	chat.Phone, chat.Username, chat.Image = firstOf(known.Phone, chat.Phone), firstOf(known.Username, chat.Username), firstOf(known.Image, chat.Image)
}

// find returns the chat under either of its ids, nil when there is none.
func (b *chatSet) find(ch inboundChat) *models.Chat {
	for _, id := range ch.ids() {
		if chat := b.byID[id]; chat != nil {
			return chat
		}
	}
	return nil
}

// add returns a message's chat and links its two ids when the message told
// both: of two chats that turn out to be one, the phone's stays. The row is
// saved with the message (or here, when it is the message's second copy).
func (b *chatSet) add(c *change, ch inboundChat) (*models.Chat, error) {
	chat := b.find(ch)
	if chat == nil {
		return nil, errors.New("crm: a chat of the batch is not locked")
	}
	return chat, b.link(c, chat, ch.key)
}

// link gives the chat both ids, when the key has both. The row is saved when that
// is new.
func (b *chatSet) link(c *change, chat *models.Chat, key ChatKey) error {
	lid := key.LID
	if lid == "" || key.Phone == "" {
		return nil
	}
	other := b.byID[lid]
	if other == chat && chat.ExternalID == key.External {
		return nil
	}
	before := *chat
	merged := []*models.Chat{}
	if chat.ExternalID != key.External {
		merged = append(merged, &before)
	}
	if other != nil && other != chat {
		if err := c.tx.MergeChat(chat.ID, other.ID); err != nil {
			return err
		}
		merged = append(merged, other)
		merge(chat, other)
		b.byID[other.ExternalID] = chat
	}
	chat.ExternalID, chat.Phone, chat.LID = key.External, &key.Phone, &lid
	b.enter(chat)
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

// emitMerge tells that a chat is known by another id now, to who saw it and to who
// sees it now. History does not keep it quiet: clients have the old id.
func (c *change) emitMerge(from, to *models.Chat) error {
	quiet := c.quiet
	c.quiet = false
	defer func() { c.quiet = quiet }()
	return c.emitChat(to, EventChatMerge, ChatMergeItem{From: ChatRef{from.ExternalID}, To: ChatRef{to.ExternalID}}, from.ResponsibleID)
}

// merge puts into chat what only other has.
func merge(chat, other *models.Chat) {
	chat.Unread += other.Unread
	chat.LastTime = max(chat.LastTime, other.LastTime)
	chat.CreatedAt = min(chat.CreatedAt, other.CreatedAt)
	if other.Status == models.ChatOpen {
		chat.Status = models.ChatOpen
	}
	if chat.Name == "" {
		chat.Name = other.Name
	}
	if chat.ResponsibleID == nil {
		chat.ResponsibleID, chat.ResponsiblePinned = other.ResponsibleID, other.ResponsiblePinned
	}
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

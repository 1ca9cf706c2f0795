package crm

import (
	"errors"
	"slices"

	"chatcast/models"
)

// chatBook is the chats of a batch, their rows locked, by every id they have.
type chatBook struct {
	line *line
	byID map[string]*models.Chat
}

// inboundChats makes the chats that messages of the batch are the first of, and
// locks all that the batch is about. Two batches at once cannot wait for one
// another in a circle: chats are made in the order of their ids while nothing is
// locked, then locked in the order of their rows.
func (c *change) inboundChats(l *line, b batch) (*chatBook, error) {
	var chats []inboundChat
	for i := range b.messages {
		chats = append(chats, b.messages[i].chat)
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
	var ids []string
	for _, st := range b.statuses {
		ids = append(ids, st.chat.ids()...)
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
		rows, err := c.LockChats(l.licenseID, l.messenger, ids)
		if err != nil {
			return nil, err
		}
		book := &chatBook{line: l, byID: map[string]*models.Chat{}}
		for _, row := range rows {
			book.enter(row)
		}
		if !slices.ContainsFunc(chats, func(ch inboundChat) bool { return book.find(ch) == nil }) {
			return book, nil
		}
	}
	return nil, errors.New("crm: chats of a batch keep disappearing")
}

func (c *change) makeChats(l *line, chats []inboundChat) error {
	for i := range chats {
		ch := &chats[i]
		known := false
		for _, id := range ch.ids() {
			_, err := c.ChatByExternal(l.licenseID, l.messenger, id)
			if err != nil && !errors.Is(err, models.ErrNotFound) {
				return err
			}
			known = known || err == nil
		}
		if known {
			continue
		}
		if _, err := c.EnsureChat(ch.row(l, c.now.Unix())); err != nil {
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
	if c.key.LID == "" || c.key.LID == c.key.External {
		return []string{c.key.External}
	}
	return []string{c.key.External, c.key.LID}
}

// describe takes over what the messenger tells of the chat. A private chat
// without a name has its author's.
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

func (b *chatBook) enter(chat *models.Chat) {
	b.byID[chat.ExternalID] = chat
	if chat.LID != nil {
		b.byID[*chat.LID] = chat
	}
}

// find returns the chat under either of its ids, nil when there is none.
func (b *chatBook) find(ch inboundChat) *models.Chat {
	for _, id := range ch.ids() {
		if chat := b.byID[id]; chat != nil {
			return chat
		}
	}
	return nil
}

// take returns a message's chat and links its two ids when the message told
// both: of two chats that turn out to be one, the phone's stays. The row is
// saved with the message (or here, when it is the message's second copy).
func (b *chatBook) take(c *change, ch inboundChat) (*models.Chat, error) {
	chat := b.find(ch)
	if chat == nil {
		return nil, errors.New("crm: a chat of the batch is not locked")
	}
	lid := ch.key.LID
	if lid == "" || ch.key.Phone == "" {
		return chat, nil
	}
	other := b.byID[lid]
	if other == chat && chat.ExternalID == ch.key.External {
		return chat, nil
	}
	if other != nil && other != chat {
		if err := c.MergeChat(chat.ID, other.ID); err != nil {
			return nil, err
		}
		merge(chat, other)
		b.byID[other.ExternalID] = chat
	}
	chat.ExternalID, chat.Phone, chat.LID = ch.key.External, &ch.key.Phone, &lid
	b.enter(chat)
	return chat, c.SaveChat(chat)
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

// inboundContacts keeps who wrote the batch's messages, with the newest that is
// known of them.
func (c *change) inboundContacts(l *line, b batch) error {
	newest := map[string]*models.Contact{}
	var ids []string
	for i := range b.messages {
		k := b.messages[i].contact
		if k == nil {
			continue
		}
		if newest[k.ExternalID] == nil {
			ids = append(ids, k.ExternalID)
		}
		newest[k.ExternalID] = k
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	made := map[string]bool{}
	for _, id := range ids {
		k := *newest[id]
		k.LicenseID, k.CreatedAt = l.licenseID, c.now.Unix()
		if _, err := c.ContactByExternal(l.licenseID, l.messenger, id); err == nil {
			continue
		} else if !errors.Is(err, models.ErrNotFound) {
			return err
		}
		created, err := c.EnsureContact(&k)
		if err != nil {
			return err
		}
		made[id] = created
	}
	rows, err := c.LockContacts(l.licenseID, l.messenger, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if made[row.ExternalID] || !update(row, newest[row.ExternalID]) {
			continue
		}
		if err := c.SaveContact(row); err != nil {
			return err
		}
	}
	return nil
}

// update takes over what k tells, and says whether that changed the contact.
func update(row, k *models.Contact) bool {
	before := *row
	if k.Name != "" {
		row.Name = k.Name
	}
	row.Username = firstOf(k.Username, row.Username)
	row.Phone = firstOf(k.Phone, row.Phone)
	row.Image = firstOf(k.Image, row.Image)
	row.LID = firstOf(k.LID, row.LID)
	return row.Name != before.Name || !same(row.Username, before.Username) || !same(row.Phone, before.Phone) ||
		!same(row.Image, before.Image) || !same(row.LID, before.LID)
}

package crm

import (
	"encoding/json"
	"maps"
	"slices"

	"chatcast/models"
)

// The history of an account is stored without telling anybody of the company: see
// InboundBatch.History. Dialects have words for it, so they are told what was new in it, if
// somebody may be listening: it is as long as the history itself.

// pastEntrySize is how many bytes of items one entry of the journal has at most, unless a single
// message is longer: sockets that are slow, and readers of the journal, hold whole entries.
const pastEntrySize = 64 << 10

// PastItem is the item of EventPast: what a part of the history brought that was not here. Each
// member is absent when there is none.
type PastItem struct {
	Latest   bool          `json:"latest"`             // of the first part, which has the newest messages
	Progress *int64        `json:"progress,omitempty"` // how much of the history has come, in percent
	Chats    []ChatCard    `json:"chats,omitempty"`
	LastTime []int64       `json:"lastTime,omitempty"` // when something was last said in each of Chats, unix seconds
	Messages []PastMessage `json:"messages,omitempty"`
	New      []Person      `json:"new,omitempty"`     // people who were not known
	Changed  []Person      `json:"changed,omitempty"` // people who have another name
}

// PastMessage is a message of the history. It has no thumbnails: they are in the lists of messages.
type PastMessage struct {
	MessageItem
	Status string `json:"status,omitempty"` // sent, delivered or viewed; of our messages
}

// Person is a contact as dialects are told of it.
type Person struct {
	ID    ID      `json:"id"`
	LID   *string `json:"lid,omitempty"` // WhatsApp's other id, when both are known
	Phone *string `json:"phone,omitempty"`
	Name  string  `json:"name"`
	Image *string `json:"image,omitempty"`
}

// past is what a batch of the history brought.
type past struct {
	chats    []int64 // rows
	messages []pastMessage
}

type pastMessage struct {
	chat *models.Chat
	row  *models.Message
}

// keepPast notes a new message of the history.
func (c *change) keepPast(chat *models.Chat, row *models.Message) {
	if c.quiet && row.DeletedAt == nil {
		c.past.messages = append(c.past.messages, pastMessage{chat, row})
	}
}

// emitPast tells dialects what a batch of the history brought, in entries of bounded size.
func (c *change) emitPast(l *line, v renderer, chats *chatSet, b batch) error {
	if !c.quiet || len(c.past.chats)+len(c.past.messages)+len(c.people) == 0 {
		return nil
	}
	heard, err := c.tx.HasDialectClients(l.companyID, l.licenseID, l.messenger)
	if err != nil || !heard {
		return err
	}
	first, err := c.pastPeople(l, v)
	if err != nil {
		return err
	}
	for _, id := range c.past.chats {
		i := slices.IndexFunc(chats.rows, func(chat *models.Chat) bool { return chat.ID == id })
		if i < 0 || chats.byID[chats.rows[i].ExternalID] != chats.rows[i] { // it was joined with another
			continue
		}
		card := chatCard(chats.rows[i])
		card.Image = v.image(card.Image)
		first.Chats, first.LastTime = append(first.Chats, card), append(first.LastTime, chats.rows[i].LastTime)
	}
	first.Latest, first.Progress = b.part.Latest, b.part.Progress
	return c.emitPastMessages(l, v, first, statusesOf(b))
}

// pastPeople returns an item with the people of whom the batch brought something.
func (c *change) pastPeople(l *line, v renderer) (item PastItem, err error) {
	ids := slices.Sorted(maps.Keys(c.people))
	rows, err := c.tx.LockContacts(l.licenseID, l.messenger, ids)
	if err != nil {
		return item, err
	}
	for _, row := range rows {
		p := v.person(row)
		if c.people[row.ExternalID] == ContactNew {
			item.New = append(item.New, p)
		} else {
			item.Changed = append(item.Changed, p)
		}
	}
	return item, nil
}

// person returns a contact as dialects are told of it.
func (v renderer) person(k *models.Contact) Person {
	p := Person{ID: MakeID(v.line.Messenger, k.ExternalID), Phone: k.Phone, Name: k.Name, Image: v.image(k.Image)}
	if k.LID != nil && *k.LID != k.ExternalID {
		p.LID = k.LID
	}
	return p
}

// statusesOf returns the statuses that a batch has for messages, by their ids.
func statusesOf(b batch) map[string]string {
	of := map[string]string{}
	for i := range b.statuses {
		of[b.statuses[i].id] = b.statuses[i].status
	}
	return of
}

// emitPastMessages emits the messages of a batch, with item in the first event.
func (c *change) emitPastMessages(l *line, v renderer, item PastItem, statuses map[string]string) error {
	on := Line{LicenseID: l.licenseID, Messenger: l.messenger}
	next := PastItem{Latest: item.Latest, Progress: item.Progress}
	size := 0
	var shown []int64
	for _, m := range c.past.messages {
		whole, rows, err := c.messageItem(v, m.chat, m.row)
		if err != nil {
			return err
		}
		one := PastMessage{MessageItem: withoutThumbnails(whole)}
		if m.row.FromMe {
			one.Status = statuses[m.row.ExternalID]
		}
		text, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if size += len(text); size > pastEntrySize && len(item.Messages) > 0 {
			c.emitPastItem(l.companyID, on, item, shown)
			item, shown, size = next, nil, len(text)
		}
		item.Messages, shown = append(item.Messages, one), append(shown, rows...)
	}
	if len(item.Chats)+len(item.Messages)+len(item.New)+len(item.Changed) > 0 {
		c.emitPastItem(l.companyID, on, item, shown)
	}
	return nil
}

// emitPastItem emits although the batch is one of which nobody else is told.
func (c *change) emitPastItem(companyID int64, on Line, item PastItem, shown []int64) {
	c.quiet = false
	defer func() { c.quiet = true }()
	c.emitToDialects(companyID, on, EventPast, item, unique(shown)...)
}

// without returns an item without the message with this id, and without what others quote of it.
func (p PastItem) without(id string) PastItem {
	p.Messages = slices.Clone(p.Messages)
	for i := range p.Messages {
		p.Messages[i].MessageItem = redactMessage(p.Messages[i].MessageItem, id)
	}
	p.Messages = slices.DeleteFunc(p.Messages, func(m PastMessage) bool { return m.ID.String() == id })
	return p
}

// withoutThumbnails returns a message without the small pictures in it, which would be most of it.
func withoutThumbnails(m MessageItem) MessageItem {
	m.Message = smaller(m.Message)
	if m.QuotedMessage != nil && m.QuotedMessage.Message != nil {
		q := *m.QuotedMessage
		content := smaller(*q.Message)
		q.Message, m.QuotedMessage = &content, &q
	}
	return m
}

func smaller(m Content) Content {
	if m.File != nil {
		f := *m.File
		f.Thumbnail = nil
		m.File = &f
	}
	return m
}

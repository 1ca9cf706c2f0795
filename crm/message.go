package crm

import "chatcast/models"

// SubtypeStatus is the subtype of what somebody posted as their status, for everybody who
// has their number. It is stored only in a chat that is here, and is an aside.
const SubtypeStatus = models.SubtypeStatus

// SubtypeVideoNote is the subtype of a video that is shown round.
const SubtypeVideoNote = "videoNote"

// isStatus reports whether the subtype is that of a status post.
func isStatus(subtype *string) bool { return subtype != nil && *subtype == SubtypeStatus }

// aside reports whether a message says something about another one and nothing of its
// own: a reaction, also one that is taken off, or a vote. So is a status post, which is
// said to everybody. It is stored and published like any message, but does not count as
// one: it is never unread, reopens no chat, opens no conversation window, and is not the
// chat's last message.
func aside(typ string, subtype *string, m *Content) bool {
	return typ == MessageReaction || typ == MessagePoll && m.Poll == nil || isStatus(subtype)
}

// record adds a message to a chat whose row is locked. It emits the event message,
// reopens a closed chat when the customer writes, and opens a conversation window. For
// a history message it does none of these, and for an aside or in a channel only the
// first. It reports whether the message is new; a second copy changes nothing. It saves the chat's row.
func (c *change) record(v renderer, chat *models.Chat, m *models.Message) (added bool, err error) {
	m.CreatedAt = c.now.Unix()
	text, err := searchText(m)
	if err != nil {
		return false, err
	}
	if added, err = c.tx.AddMessage(chat, m, text); err != nil || !added {
		return false, err
	}
	if m.Aside {
		return true, c.recordAside(v, chat, m)
	}
	newest := m.Time >= chat.LastTime
	news := MessageNews{NewChat: chat.LastTime == 0 || c.made[chat.ID]}
	chat.LastTime = max(chat.LastTime, m.Time)
	if c.quiet {
		return true, c.tx.SaveChat(chat)
	}
	if chat.Type == models.ChatChannel { // nobody waits for an answer
		if err := c.tx.SaveChat(chat); err != nil {
			return false, err
		}
		return true, c.emitMessage(v, chat, m, news)
	}
	reopens := !m.FromMe && newest && chat.Status == models.ChatClose
	if reopens {
		chat.Status = models.ChatOpen
	}
	if !m.FromMe {
		chat.Unread++
		unread := chat.Unread
		news.Unread = &unread
	}
	opens := openWindow(chat, m)
	if err := c.tx.SaveChat(chat); err != nil {
		return false, err
	}
	if err := c.emitMessage(v, chat, m, news); err != nil {
		return false, err
	}
	if reopens {
		err := c.emitChat(chat, EventChatStatus, ChatStatusItem{Type: models.ChatOpen, Chat: ChatRef{ID: chat.ExternalID}})
		if err != nil {
			return false, err
		}
	}
	if opens {
		return true, c.emitWindow(chat)
	}
	return true, nil
}

// recordAside is the part of record for an aside. A chat that nothing else is known of
// takes its time, to have a place in the list.
func (c *change) recordAside(v renderer, chat *models.Chat, m *models.Message) error {
	if chat.LastTime == 0 {
		chat.LastTime = m.Time
	}
	if err := c.tx.SaveChat(chat); err != nil || c.quiet {
		return err
	}
	return c.emitMessage(v, chat, m, MessageNews{})
}

func (c *change) emitMessage(v renderer, chat *models.Chat, m *models.Message, news MessageNews) error {
	item, shown, err := c.messageItem(v, chat, m)
	if err != nil {
		return err
	}
	news.Contact = c.contactNews(&item)
	if err := c.emitShown(chat, EventMessage, MessageEvent{item, news}, shown...); err != nil {
		return err
	}
	return c.emitTally(v, chat, m, &item.Message)
}

// messageItem returns the item of a message, and the rows of the messages whose content it
// shows.
func (c *change) messageItem(v renderer, chat *models.Chat, m *models.Message) (item MessageItem, shown []int64, err error) {
	ids, err := v.related(m)
	if err != nil {
		return item, nil, err
	}
	related, err := c.tx.MessagesByExternal(chat.ID, ids)
	if err != nil {
		return item, nil, err
	}
	shown = []int64{m.ID}
	if m.QuotedExternalID != nil && related[*m.QuotedExternalID] != nil {
		shown = append(shown, related[*m.QuotedExternalID].ID)
	}
	item, err = v.item(m, chat, related)
	return item, shown, err
}

// contactNews returns what the message is the first to tell of its author.
func (c *change) contactNews(m *MessageItem) string {
	id := m.FromUser.ID.String()
	news := c.people[id]
	delete(c.people, id)
	return news
}

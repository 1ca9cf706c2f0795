package crm

import (
	"cmp"

	"chatcast/models"
)

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
	if heard := heardName(chat.Name, chat.MessengerName); heard != "" && (heard == deref(before.Phone) || phoneChat(b.line.messenger, heard) == key.Typed) {
		hear(&chat.Name, &chat.MessengerName, key.Phone)
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
	if heard := heardName(chat.Name, chat.MessengerName); heard == "" || heard == deref(chat.Phone) {
		hear(&chat.Name, &chat.MessengerName, cmp.Or(heardName(other.Name, other.MessengerName), heard))
	}
	keepGiven(&chat.Name, &chat.MessengerName, other.Name, other.MessengerName)
	if chat.ResponsibleID == nil {
		chat.ResponsibleID, chat.ResponsiblePinned = other.ResponsibleID, other.ResponsiblePinned
	}
	chat.TypedID = firstOf(chat.TypedID, other.TypedID)
	if d := disappearingOf(other); d.Since > chat.DisappearsSince {
		d.apply(chat)
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

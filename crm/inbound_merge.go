package crm

import (
	"cmp"
	"maps"
	"slices"

	"chatcast/models"
)

// link gives the chat both ids, when the key has both, and joins the chat of a number
// that somebody typed for it. It saves the row when that changes it. The chat is of the
// person of the key, see free.
func (b *chatSet) link(c *change, chat *models.Chat, key ChatKey) error {
	if key.Phone == "" || key.LID == "" && key.Typed == "" {
		return nil
	}
	before := *chat
	lid := cmp.Or(key.LID, deref(chat.LID))
	merged, deleted, err := b.join(c, chat, lid, lid, key.Typed)
	if err != nil {
		return err
	}
	if chat.ExternalID != key.External {
		merged = append([]*models.Chat{&before}, merged...)
	}
	if heard := heardName(chat.Name, chat.MessengerName); heard != "" && (heard == deref(before.Phone) || phoneChat(b.line.messenger, heard) == key.Typed) {
		hear(&chat.Name, &chat.MessengerName, key.Phone)
	}
	chat.ExternalID, chat.Phone, chat.LID = key.External, &key.Phone, given(lid)
	if key.Typed != "" {
		chat.TypedID = &key.Typed
	}
	if !sameNumber(key.Phone, phoneIn(deref(chat.TypedID))) {
		chat.TypedID = nil
	}
	b.rehash(chat, &before)
	b.enter(chat)
	if len(merged) == 0 && deref(before.LID) == lid && deref(before.TypedID) == deref(chat.TypedID) {
		return nil
	}
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	if err := c.joinFirst(chat); err != nil {
		return err
	}
	for _, g := range merged {
		if err := c.emitMerge(g, chat); err != nil {
			return err
		}
	}
	if err := b.dropTyped(c); err != nil {
		return err
	}
	ids := []string{chat.ExternalID, lid, deref(chat.TypedID)}
	for _, g := range merged {
		ids = append(ids, g.ExternalID)
	}
	return c.eraseMerged(b.line, chat, slices.DeleteFunc(ids, func(id string) bool { return id == "" }), deleted)
}

// join merges the chats with these ids into chat, whose LID is lid. It returns those that are
// gone, and when the messages were deleted that were so in one of two chats alone.
func (b *chatSet) join(c *change, chat *models.Chat, lid string, ids ...string) (gone []*models.Chat, deleted map[string]int64, err error) {
	deleted = map[string]int64{}
	for _, id := range ids {
		other := b.byID[id]
		if id == "" || other == nil || other == chat {
			continue
		}
		if others := deref(other.LID); others != "" && lid != "" && others != lid { // another person's
			if err := b.leaveNumber(c, other); err != nil {
				return nil, nil, err
			}
			continue
		}
		more, err := c.tx.DeletedInOne(chat.ID, other.ID)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(deleted, more)
		if err := c.tx.MergeChat(chat.ID, other.ID); err != nil {
			return nil, nil, err
		}
		gone = append(gone, other)
		merge(chat, other)
		b.byID[other.ExternalID] = chat
	}
	return gone, deleted, nil
}

// holder returns the chat that has the id, when it is that of another person than the one
// with this LID, and otherwise nil.
func (b *chatSet) holder(id, lid string) *models.Chat {
	chat := b.byID[id]
	if chat == nil || lid == "" || chat.ExternalID != id || chat.LID == nil || *chat.LID == lid {
		return nil
	}
	return chat
}

// free takes the numbers of a key from the chats of others, when the key says whose they are
// now: two people must not become one.
func (b *chatSet) free(c *change, key ChatKey) error {
	if key.Phone == "" {
		return nil
	}
	for _, id := range []string{key.External, key.Typed} {
		if chat := b.holder(id, key.LID); chat != nil {
			if err := b.leaveNumber(c, chat); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled returns the key as this batch may apply it. History may be older than what is
// known: it takes no number from the person who has it now.
func (b *chatSet) settled(c *change, key ChatKey) ChatKey {
	if !c.quiet || b.holder(key.External, key.LID) == nil {
		return key
	}
	return ChatKey{External: key.LID, LID: key.LID}
}

// leaveNumber takes the number from a chat, because it belongs now to another person. The
// chat goes on under its LID.
func (b *chatSet) leaveNumber(c *change, chat *models.Chat) error {
	before := *chat
	if heard := heardName(chat.Name, chat.MessengerName); heard == deref(before.Phone) {
		hear(&chat.Name, &chat.MessengerName, "")
	}
	chat.ExternalID, chat.Phone, chat.TypedID = *chat.LID, nil, nil
	delete(b.byID, before.ExternalID)
	b.rehash(chat, &before)
	b.enter(chat)
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	return c.emitMerge(&before, chat)
}

// rehash gives a chat another hash when its hash is that of a number which it no longer has:
// the number may get another chat.
func (b *chatSet) rehash(chat, before *models.Chat) {
	if before.Phone != nil && before.ExternalID != chat.ExternalID && chat.Hash == chatHash(chat.LicenseID, chat.MessengerType, before.ExternalID) {
		chat.Hash = chatHash(chat.LicenseID, chat.MessengerType, chat.ExternalID)
	}
}

// dropTyped takes from the chats that are locked the ids that somebody typed for them, when
// another chat has that id itself: then it is found by it.
func (b *chatSet) dropTyped(c *change) error {
	for _, chat := range b.rows {
		if chat.TypedID == nil || b.byID[chat.ExternalID] != chat { // or it is merged
			continue
		}
		if other := b.byID[*chat.TypedID]; other == nil || other == chat || other.ExternalID != *chat.TypedID {
			continue
		}
		chat.TypedID = nil
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
	}
	return nil
}

// emitMerge emits that a chat has another id now, to the users who saw it before and
// those who see it now. It does so even for history, because clients have the old id.
func (c *change) emitMerge(from, to *models.Chat) error {
	quiet := c.quiet
	c.quiet = false
	defer func() { c.quiet = quiet }()
	ev, err := c.chatEvent(to, EventChatMerge, ChatMergeItem{From: ChatRef{from.ExternalID}, To: ChatRef{to.ExternalID}}, from.ResponsibleID)
	if err == nil {
		ev.moved = &chatMove{line: Line{to.LicenseID, to.MessengerType}, from: from.ExternalID, to: to.ExternalID}
		c.emit(ev)
	}
	return err
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
	chat.Archived, chat.Pinned = chat.Archived && other.Archived, chat.Pinned || other.Pinned
	chat.MarkedUnread = chat.MarkedUnread || other.MarkedUnread
	if chat.MutedUntil == 0 {
		chat.MutedUntil = other.MutedUntil
	}
	chat.Username = firstOf(chat.Username, other.Username)
	if chat.Image == nil {
		chat.Image, chat.PictureID, chat.PictureState, chat.PictureAt = other.Image, other.PictureID, other.PictureState, other.PictureAt
	}
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

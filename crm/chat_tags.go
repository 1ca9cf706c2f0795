package crm

import (
	"context"

	"chatcast/models"
)

// TagChat puts a tag of the company on a chat.
func (s *Service) TagChat(ctx context.Context, a Actor, at ChatAddress, tagID Field[int64]) (ChatData, error) {
	var tag *models.Tag
	find := func(c *change, l *line) (err error) {
		if err := tagID.required("tagId"); err != nil {
			return err
		}
		tag, err = l.tag(c.tx, tagID.Value)
		return err
	}
	return s.onChat(ctx, a, at, find, func(c *change, chat *models.Chat) error {
		return c.tag(a, chat, tag)
	})
}

// UntagChat takes a tag off a chat.
func (s *Service) UntagChat(ctx context.Context, a Actor, at ChatAddress, tagID int64) (ChatData, error) {
	var tag *models.Tag
	find := func(c *change, l *line) (err error) {
		tag, err = l.tag(c.tx, tagID)
		return err
	}
	return s.onChat(ctx, a, at, find, func(c *change, chat *models.Chat) error {
		return c.untag(a, chat, tag)
	})
}

// tag finds a tag of the line's company.
func (l *line) tag(tx *models.Tx, id int64) (*models.Tag, error) {
	t, err := tx.HoldTag(id)
	if err == nil && t.CompanyID != l.companyID {
		return nil, notFound("tag")
	}
	return t, orNotFound(err, "tag")
}

// tag puts a tag on a locked chat. It emits an event only when the chat lacked it.
func (c *change) tag(a Actor, chat *models.Chat, tag *models.Tag) error {
	added, err := c.tx.AddChatTag(chat.ID, tag.ID)
	if err != nil || !added {
		return err
	}
	if err := c.labelled(a, chat, tag, true); err != nil {
		return err
	}
	return c.emitTag(a, chat, TypeAdd, tag)
}

// untag takes a tag off a locked chat. It emits an event only when the chat had it.
func (c *change) untag(a Actor, chat *models.Chat, tag *models.Tag) error {
	removed, err := c.tx.RemoveChatTag(chat.ID, tag.ID)
	if err != nil || !removed {
		return err
	}
	if err := c.labelled(a, chat, tag, false); err != nil {
		return err
	}
	return c.emitTag(a, chat, TypeDestroy, tag)
}

func (c *change) emitTag(a Actor, chat *models.Chat, typ string, tag *models.Tag) error {
	data, err := tagData(c.tx, tag)
	if err != nil {
		return err
	}
	return c.emitChat(chat, EventChatTag,
		ChatTagItem{Type: typ, Tag: data, Chat: ChatRef{chat.ExternalID}, Edited: a.edited()})
}

package crm

import (
	"cmp"
	"errors"

	"chatcast/models"
)

// applyLabels stores the account's labels as tags of the company. It returns the tags
// of the labels that the batch puts on chats or takes off, by label.
func (c *change) applyLabels(l *line, b batch) (map[string]*models.Tag, error) {
	for _, in := range b.labels {
		if err := c.applyLabel(l, in); err != nil {
			return nil, err
		}
	}
	tags := map[string]*models.Tag{}
	for i := range b.tags {
		label := b.tags[i].Label
		if tags[label] != nil {
			continue
		}
		link, err := c.tx.LineLabel(l.licenseID, l.messenger, label)
		if errors.Is(err, models.ErrNotFound) {
			// The label's name arrives later, and renames the tag then.
			link, err = c.addLabel(l, InboundLabel{ID: label})
		}
		if err != nil {
			return nil, err
		}
		if tags[label], err = c.tx.HoldTag(link.TagID); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

func (c *change) applyLabel(l *line, in InboundLabel) error {
	if newer, err := c.phoneIsNewer(l, in.ID, 0, in.Time); err != nil || !newer {
		return err
	}
	link, err := c.tx.LineLabel(l.licenseID, l.messenger, in.ID)
	switch {
	case errors.Is(err, models.ErrNotFound) && in.Deleted:
		return nil
	case errors.Is(err, models.ErrNotFound):
		added, err := c.addLabel(l, in)
		if err != nil {
			return err
		}
		return c.replaceMade(added)
	case err != nil:
		return err
	case in.Deleted:
		return c.dropLabel(l, link)
	}
	tag, err := c.tx.LockTag(link.TagID)
	if err != nil {
		return err
	}
	name, color := cmp.Or(in.Name, tag.Name), cmp.Or(in.Color, tag.Color)
	if alike(color, tag.Color) {
		color = tag.Color
	}
	if name == tag.Name && color == tag.Color {
		return nil
	}
	shared, err := c.tx.LabelsOfTag(tag.ID)
	if err != nil {
		return err
	}
	if shared == 1 || name == tag.Name {
		tag.Name, tag.Color = name, color
		if err := c.saveTag(Actor{}, tag); err != nil {
			return err
		}
		return c.relabel(tag.ID, link)
	}
	// Another line has this tag too, and has not renamed it.
	in.Name, in.Color = name, color
	return c.moveLabel(l, link, tag, in)
}

// phoneIsNewer reports whether what the phone tells of a label, or of a label on a chat, is
// newer than what was changed here and the phone does not know yet. If so it stays: who
// changed it last is right.
func (c *change) phoneIsNewer(l *line, label string, chatID int64, told *int64) (bool, error) {
	at, err := c.tx.LabelChangedAt(l.licenseID, l.messenger, label, chatID)
	if err != nil || at == 0 {
		return true, err
	}
	if told != nil && *told < at {
		return false, nil
	}
	return true, c.tx.DropLabelChange(&models.LabelChange{LicenseID: l.licenseID, MessengerType: l.messenger, Label: label, ChatID: chatID})
}

// addLabel links a label to the company's tag with its name, and creates the tag when
// there is none.
func (c *change) addLabel(l *line, in InboundLabel) (*models.LineLabel, error) {
	name := cmp.Or(in.Name, "Label "+in.ID)
	link := &models.LineLabel{LicenseID: l.licenseID, MessengerType: l.messenger, Label: in.ID}
	tag, err := c.tx.TagNamed(l.companyID, name)
	if errors.Is(err, models.ErrNotFound) {
		link.Made = true
		tag = &models.Tag{CompanyID: l.companyID, Name: name, Color: cmp.Or(in.Color, defaultColor), Sort: defaultSort}
		err = c.createTag(Actor{}, tag)
	}
	if err != nil {
		return nil, err
	}
	link.TagID = tag.ID
	return link, c.tx.AddLineLabel(link)
}

// dropLabel removes a deleted label from the line's chats. Its tag is deleted too
// when it was made for the label and nothing else has it.
func (c *change) dropLabel(l *line, link *models.LineLabel) error {
	tag, err := c.tx.LockTag(link.TagID)
	if err != nil {
		return err
	}
	if err := c.tx.DeleteLineLabel(link); err != nil {
		return err
	}
	chats, err := c.tx.LockLineChatsWithTag(l.licenseID, l.messenger, tag.ID)
	if err != nil {
		return err
	}
	for _, chat := range chats {
		if err := c.untag(Actor{}, chat, tag); err != nil {
			return err
		}
	}
	labels, err := c.tx.LabelsOfTag(tag.ID)
	if err != nil || labels > 0 || !link.Made {
		return err
	}
	used, err := c.tx.TagInUse(tag.ID)
	if err != nil || used {
		return err
	}
	return c.deleteTag(Actor{}, tag)
}

// moveLabel links a label to another tag, and moves its line's chats to that tag.
func (c *change) moveLabel(l *line, link *models.LineLabel, from *models.Tag, in InboundLabel) error {
	if err := c.tx.DeleteLineLabel(link); err != nil {
		return err
	}
	added, err := c.addLabel(l, in)
	if err != nil {
		return err
	}
	to, err := c.tx.HoldTag(added.TagID)
	if err != nil {
		return err
	}
	chats, err := c.tx.LockLineChatsWithTag(l.licenseID, l.messenger, from.ID)
	if err != nil {
		return err
	}
	for _, chat := range chats {
		if err := c.untag(Actor{}, chat, from); err != nil {
			return err
		}
		if err := c.tag(Actor{}, chat, to); err != nil {
			return err
		}
	}
	return nil
}

// applyTag adds the tag of a label to a chat, or removes it.
func (c *change) applyTag(chats *chatSet, tags map[string]*models.Tag, t *tagArrival) (string, error) {
	chat, before := chats.find(t.chat), len(c.events)
	if chat == nil {
		return ResultUnknown, nil
	}
	if chat.LastTime == 0 { // the label is the first news of the chat
		chat.LastTime = c.now.Unix()
		if err := c.tx.SaveChat(chat); err != nil {
			return "", err
		}
	}
	newer, err := c.phoneIsNewer(chats.line, t.Label, chat.ID, t.Time)
	if err != nil || !newer {
		return ResultUnchanged, err
	}
	do := c.untag
	if t.Added {
		do = c.tag
	}
	if err := do(Actor{}, chat, tags[t.Label]); err != nil {
		return "", err
	}
	if !c.quiet && len(c.events) == before {
		return ResultUnchanged, nil
	}
	return ResultAccepted, nil
}

package crm

import (
	"context"
	"errors"
	"strconv"

	"chatcast/models"
)

// Tags go to the phone of a line whose settings say so, as labels of its account. What an
// employee changes here is noted in the same transaction, and what the note is about is
// read when it is sent: so the phone gets what is true then, in any order and any number of
// times. What the phone changes is not noted, so it does not come back to it.

// maxLabels is how many labels a WhatsApp account may have.
const maxLabels = 20

// firstLabel is the first number that we give to a label. The app gives small ones.
const firstLabel = 1000

// LabelChange is what the phone has to be told of a label.
type LabelChange struct {
	ID    int64
	Label string
	Gone  bool // there is nothing to tell any more

	Deleted bool // the label itself
	Name    string
	Color   int32 // in WhatsApp's palette

	ChatID   string // not the label itself, but that a chat has it or not; empty: the label
	LID      string // the private chat's other id; empty: not known
	Labelled bool
}

// Labelled is a Messenger whose accounts may have labels.
type Labelled interface {
	Messenger
	// HasLabels reports whether the line's account has labels. known is false while it has
	// no account.
	HasLabels(ctx context.Context, l Line) (has, known bool, err error)
	// Label is called after the commit when the phone has to be told of labels. It does not
	// block and may be called for lines of other nodes.
	Label(l Line)
}

// LabelChanges lists what the phone of a line has to be told of its labels, in order, from
// behind the change with the id after.
func (s *Service) LabelChanges(ctx context.Context, on Line, after int64, limit int) (changes []LabelChange, err error) {
	tx := s.Store.Read(ctx)
	rows, err := tx.LabelChanges(on.LicenseID, on.Messenger, after, limit)
	if err != nil {
		return nil, err
	}
	links := map[string]*models.LineLabel{}
	labels, err := tx.LineLabels(on.LicenseID, on.Messenger)
	for i := range labels {
		links[labels[i].Label] = &labels[i]
	}
	for _, row := range rows {
		if err != nil {
			return nil, err
		}
		var ch LabelChange
		ch, err = labelChange(tx, row, links[row.Label])
		changes = append(changes, ch)
	}
	return changes, err
}

// labelChange returns what is to be told about a noted change now. link is nil when the
// label is deleted.
func labelChange(tx *models.Tx, row models.LabelChange, link *models.LineLabel) (LabelChange, error) {
	ch := LabelChange{ID: row.ID, Label: row.Label}
	if link == nil {
		ch.Deleted, ch.Gone = true, row.ChatID != 0
		return ch, nil
	}
	if row.ChatID == 0 {
		tag, err := tx.Tag(link.TagID)
		if errors.Is(err, models.ErrNotFound) { // since a moment
			ch.Deleted = true
			return ch, nil
		}
		if err == nil {
			ch.Name, ch.Color = tag.Name, LabelColorOf(tag.Color)
		}
		return ch, err
	}
	chat, err := tx.ChatRow(row.ChatID)
	if errors.Is(err, models.ErrNotFound) { // it was joined with another
		ch.Gone = true
		return ch, nil
	}
	if err != nil {
		return ch, err
	}
	ch.ChatID, ch.LID = chat.ExternalID, deref(chat.LID)
	ch.Labelled, err = tx.HasChatTag(chat.ID, link.TagID)
	return ch, err
}

// LabelsSent removes changes that the phone was told of, or that it will never be told of.
func (s *Service) LabelsSent(ctx context.Context, _ Line, ids []int64) error {
	return s.change(ctx, func(c *change) error { return c.tx.DeleteLabelChanges(ids) })
}

// labelled notes that an employee has put a tag on a chat or taken it off.
func (c *change) labelled(a Actor, chat *models.Chat, tag *models.Tag, on bool) error {
	if a.UserID == 0 { // the phone knows
		return nil
	}
	if !IsWhatsApp(chat.MessengerType) { // the account has no labels
		return nil
	}
	// It is locked, so that when tags begin to go to the phone this one is among them.
	if wanted, err := c.tx.LockLabels(chat.LicenseID, chat.MessengerType); err != nil || !wanted {
		return err
	}
	link, err := c.labelOf(chat.LicenseID, chat.MessengerType, tag.ID, on)
	if err != nil || link == nil {
		return err
	}
	return c.markLabel(link, chat.ID)
}

// labelOf returns the label of a line that represents a tag. With create, a missing one is
// made; it returns nil when there is none, or no room for one.
func (c *change) labelOf(licenseID int64, messenger string, tagID int64, create bool) (*models.LineLabel, error) {
	if create { // two labels are not made at once
		if _, err := c.tx.LockLabels(licenseID, messenger); err != nil {
			return nil, err
		}
	}
	labels, err := c.tx.LineLabels(licenseID, messenger)
	if err != nil {
		return nil, err
	}
	next := firstLabel
	for i := range labels {
		if labels[i].TagID == tagID {
			return &labels[i], nil
		}
		if n, err := strconv.Atoi(labels[i].Label); err == nil && n < 1<<30 {
			next = max(next, n+1)
		}
	}
	if !create || len(labels) >= maxLabels {
		return nil, nil
	}
	link := &models.LineLabel{LicenseID: licenseID, MessengerType: messenger, Label: strconv.Itoa(next), TagID: tagID}
	if err := c.tx.AddLineLabel(link); err != nil {
		return nil, err
	}
	return link, c.markLabel(link, 0)
}

// replaceMade lets a label that the phone has stand for its tag, in place of one that was
// made for the tag while it was not known what labels the phone has. The phone may have been
// told of that one just now, so it is told that it is gone.
func (c *change) replaceMade(by *models.LineLabel) error {
	labels, err := c.tx.LineLabels(by.LicenseID, by.MessengerType)
	if err != nil {
		return err
	}
	for i := range labels {
		made := &labels[i]
		if n, err := strconv.Atoi(made.Label); made.TagID != by.TagID || made.Label == by.Label || err != nil || n < firstLabel {
			continue
		}
		changed, err := c.tx.LabelChangedAt(made.LicenseID, made.MessengerType, made.Label, 0)
		if err != nil {
			return err
		}
		if changed == 0 { // the phone knows both
			continue
		}
		if err := errors.Join(c.tx.DeleteLineLabel(made), c.markLabel(made, 0)); err != nil {
			return err
		}
		return c.tx.MarkLabelledChats(by.LicenseID, by.MessengerType, c.now.Unix(), by.Label)
	}
	return nil
}

// markLabel notes that the phone has to be told of a label, or with a chat whether that
// has it.
func (c *change) markLabel(l *models.LineLabel, chatID int64) error {
	if c.labels == nil {
		c.labels = map[Line]bool{}
	}
	c.labels[Line{LicenseID: l.LicenseID, Messenger: l.MessengerType}] = true
	return c.tx.MarkLabel(&models.LabelChange{LicenseID: l.LicenseID, MessengerType: l.MessengerType, Label: l.Label, ChatID: chatID, At: c.now.Unix()})
}

// tellLabels wakes what tells the phones of lines about their labels.
func (s *Service) tellLabels(lines map[Line]bool) {
	for on := range lines {
		if connector, err := s.messenger(on.Messenger); err == nil {
			if to, ok := connector.(Labelled); ok {
				to.Label(on)
			}
		}
	}
}

// relabel notes that a tag has another name or colour, or is being deleted, on all phones
// that have it but the one that did it.
func (c *change) relabel(tagID int64, by *models.LineLabel) error {
	labels, err := c.tx.SharedLabels(tagID)
	for i := range labels {
		l := &labels[i]
		if err == nil && (by == nil || l.LicenseID != by.LicenseID || l.MessengerType != by.MessengerType) {
			err = c.markLabel(l, 0)
		}
	}
	return err
}

// labelAll notes all tags on chats of a line, when they begin to go to the phone.
func (c *change) labelAll(on Line) error {
	tags, err := c.tx.TagsOfLine(on.LicenseID, on.Messenger)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		link, err := c.labelOf(on.LicenseID, on.Messenger, tag.ID, true)
		if err != nil {
			return err
		}
		if link != nil {
			if err := c.markLabel(link, 0); err != nil {
				return err
			}
		}
	}
	return c.tx.MarkLabelledChats(on.LicenseID, on.Messenger, c.now.Unix(), "")
}

// labelsSet begins or ends that the tags of a line go to its phone.
func (c *change) labelsSet(on Line, before, now bool) error {
	switch {
	case now && !before:
		return c.labelAll(on)
	case before && !now:
		return c.tx.ForgetLabelChanges(on.LicenseID, on.Messenger)
	}
	return nil
}

// otherAccountsLabels forgets the labels of the account that the line had before. The tags
// stay, and go to the new account's phone.
func (c *change) otherAccountsLabels(on Line) error {
	if err := c.tx.ForgetLabelChanges(on.LicenseID, on.Messenger); err != nil {
		return err
	}
	if err := c.tx.DeleteLineLabels(on.LicenseID, on.Messenger); err != nil {
		return err
	}
	settings, err := c.tx.LineSettings(on.LicenseID, on.Messenger)
	if err != nil || !settings.Labels {
		return err
	}
	return c.labelAll(on)
}

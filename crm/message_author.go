package crm

import (
	"errors"

	"chatcast/models"
)

// mayChange reports whether a person may delete a message, or edit it.
func (c *change) mayChange(l *line, chat *models.Chat, row *models.Message, d models.Deletion) (bool, error) {
	author, err := renderer{line: Line{LicenseID: l.licenseID, Messenger: l.messenger}}.author(row)
	if err != nil {
		return false, err
	}
	return c.mayDelete(l, chat, row.FromMe, author, d)
}

func (c *change) mayDelete(l *line, chat *models.Chat, fromMe bool, author Author, d models.Deletion) (bool, error) {
	group := chat.Type == models.ChatGroup
	switch {
	case group && d.ByAdmin:
		return true, nil
	case fromMe != d.FromMe:
		return false, nil
	case fromMe || !group:
		return true, nil
	}
	return c.samePerson(l, author.ID.String(), d.DeletedBy)
}

// samePerson reports whether the first id is of the person with the second one, under either
// of their ids.
func (c *change) samePerson(l *line, author, by string) (bool, error) {
	a, errA := ParseChatID("author", l.messenger, author)
	b, errB := ParseChatID("by", l.messenger, by)
	if errA != nil || errB != nil {
		return false, nil
	}
	if a.External == b.External {
		return true, nil
	}
	k, err := c.tx.ContactByAlias(l.licenseID, l.messenger, b.External)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return k.ExternalID == a.External || k.LID != nil && *k.LID == a.External, nil
}

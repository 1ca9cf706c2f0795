package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// What is known of the picture of a person or a group. Before the messenger was asked it is
// the empty string.
const (
	PictureShown  = "shown"
	PictureNone   = "none"
	PictureHidden = "hidden" // by the person's settings, or because the account is not in the group
)

// For how long, in seconds, what is known of a picture is believed: the messenger tells of
// changes, but not while the line is not connected, and not of a picture that was hidden.
const (
	shownFor    = 7 * 24 * 60 * 60
	notShownFor = 24 * 60 * 60
)

// Picture is what a messenger says about the picture of a chat.
type Picture struct {
	State string
	ID    string  // the messenger's id of it
	File  *Upload // nil: the one that is known already, or none
}

// PictureMessenger is a Messenger that can ask for pictures of people and groups.
type PictureMessenger interface {
	Messenger
	// WantPicture asks for the picture of a chat some time later, unless it is known. It
	// does not block, and may do nothing.
	WantPicture(l Line, chatID string)
}

// wantPicture lets the messenger ask for the picture of a chat that somebody looks at.
func (s *Service) wantPicture(chat *models.Chat) {
	if chat.Type == models.ChatChannel || pictureKnown(chat, s.Now().Unix()) {
		return
	}
	connector, err := s.messenger(chat.MessengerType)
	if err != nil {
		return
	}
	if to, ok := connector.(PictureMessenger); ok {
		to.WantPicture(Line{chat.LicenseID, chat.MessengerType}, chat.ExternalID)
	}
}

// pictureKnown reports whether what is known of the chat's picture is believed.
func pictureKnown(chat *models.Chat, now int64) bool {
	lasts := int64(notShownFor)
	if chat.PictureState == PictureShown {
		lasts = shownFor
	}
	return chat.PictureAt > now-lasts
}

// PictureDue reports whether the messenger is to be asked for the picture of a chat, and
// the messenger's id of the one that is known. changed means that the messenger has told
// of another one. A chat that is not here is CodeNotFound.
func (s *Service) PictureDue(ctx context.Context, on Line, chatID string, changed bool) (id string, due bool, err error) {
	chat, err := s.Store.Read(ctx).ChatByExternal(on.LicenseID, on.Messenger, chatID)
	if err != nil {
		return "", false, orNotFound(err, "chat")
	}
	return chat.PictureID, changed || !pictureKnown(chat, s.Now().Unix()), nil
}

// SetPicture stores what the messenger says about the picture of a chat. The picture is a
// file of the chat, so whoever sees the chat may have it, and it goes with the chat. The
// one before is unreachable at once, and removed by Sweep.
func (s *Service) SetPicture(ctx context.Context, on Line, chatID string, p Picture) error {
	v, err := s.renderer(ctx, on)
	if err != nil {
		return err
	}
	used := false
	err = s.changeWithRetry(ctx, func(c *change) error {
		used = false
		chat, err := c.tx.LockChat(on.LicenseID, on.Messenger, chatID)
		if err != nil {
			return orNotFound(err, "chat")
		}
		now := c.now.Unix()
		chat.PictureState, chat.PictureID, chat.PictureAt = p.State, p.ID, now
		if p.File == nil && p.State == PictureShown {
			return c.tx.SaveChat(chat)
		}
		chat.Image = nil
		id := ""
		if p.File != nil {
			row := p.File.row(on.LicenseID, chat.ID, now)
			row.Picture = true
			if err := c.tx.AddFile(row); err != nil {
				return err
			}
			id = row.ID
			link := storedLink + id
			chat.Image, used = &link, true
		}
		if err := c.tx.HidePictures(chat.ID, id, now); err != nil {
			return err
		}
		if err := c.tx.SaveChat(chat); err != nil || chat.Type != models.ChatPrivate {
			return err
		}
		return c.pictureOfContact(v, chat)
	})
	var refused *Error
	if err == nil && !used || errors.As(err, &refused) { // after another error the commit may have happened
		p.File.Discard()
	}
	return err
}

// pictureOfContact gives the picture of a private chat to its contact, and tells dialects.
func (c *change) pictureOfContact(v renderer, chat *models.Chat) error {
	k, err := c.tx.ContactByAlias(chat.LicenseID, chat.MessengerType, chat.ExternalID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := c.tx.LockContacts(k.LicenseID, k.MessengerType, []string{k.ExternalID})
	if err != nil || len(rows) == 0 || same(rows[0].Image, chat.Image) {
		return err
	}
	rows[0].Image = chat.Image
	c.emitToDialects(chat.CompanyID, v.line, EventContact, PersonItem{v.person(rows[0])})
	return c.tx.SaveContact(rows[0])
}

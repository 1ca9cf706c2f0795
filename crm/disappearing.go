package crm

import (
	"context"

	"chatcast/models"
)

// Disappearing is the setting of a chat after which its messages disappear from the phones.
// Messages that are sent must carry it, or phones show that the chat's settings differ. Our
// own store keeps messages.
type Disappearing struct {
	After int64  // seconds; 0: messages stay
	Since int64  // when it was set, unix seconds
	Mode  string // who set it and how, in the connector's own terms
}

// maxDisappearing is the longest time that is accepted, in seconds. WhatsApp's own longest
// is 90 days.
const maxDisappearing = 366 * 24 * 60 * 60

func (d *Disappearing) check(at string) error {
	if d == nil || d.After >= 0 && d.After <= maxDisappearing && d.Since >= 0 && len(d.Mode) <= maxName {
		return nil
	}
	return Invalid(at+"disappearing", "must be at most %d seconds", maxDisappearing)
}

// apply gives the setting to a chat, unless the chat has a newer one.
func (d *Disappearing) apply(chat *models.Chat) (changed bool) {
	if d == nil || d.Since < chat.DisappearsSince || *d == disappearingOf(chat) {
		return false
	}
	if chat.Type == models.ChatGroup && d.After == 0 && chat.DisappearsAfter == 0 { // told of every group at each connection
		return false
	}
	chat.DisappearsAfter, chat.DisappearsSince, chat.DisappearsMode = d.After, d.Since, d.Mode
	return true
}

func disappearingOf(chat *models.Chat) Disappearing {
	return Disappearing{After: chat.DisappearsAfter, Since: chat.DisappearsSince, Mode: chat.DisappearsMode}
}

// AccountDisappears stores after how many seconds messages disappear in new chats of the
// account, as its owner has set it on the phone, unless it was set here later.
func (s *Service) AccountDisappears(ctx context.Context, on Line, after, since int64) error {
	if err := (&Disappearing{After: after, Since: since}).check(""); err != nil {
		return err
	}
	return s.changeWithRetry(ctx, func(c *change) error {
		if _, err := lineForConnector(c.tx, on); err != nil {
			return err
		}
		if _, err := c.tx.LockLicense(on.LicenseID); err != nil { // one change of settings at a time
			return orNotFound(err, "license")
		}
		row, err := c.tx.LineSettings(on.LicenseID, on.Messenger)
		if err != nil || since < row.DisappearingSince {
			return err
		}
		row.Disappearing, row.DisappearingSince = after, since
		return c.tx.PutLineSettings(row)
	})
}

// disappears gives a chat that we begin the account's setting. A Mode is the connector's to
// name: an empty one means that it is the account's.
func (c *change) disappears(l *line, chat *models.Chat) error {
	settings, err := c.tx.LineSettings(l.licenseID, l.messenger)
	if err == nil && settings.Disappearing > 0 {
		(&Disappearing{After: settings.Disappearing, Since: settings.DisappearingSince}).apply(chat)
	}
	return err
}

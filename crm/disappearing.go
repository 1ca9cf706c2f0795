package crm

import "chatcast/models"

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

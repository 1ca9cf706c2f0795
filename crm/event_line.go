package crm

import (
	"context"

	"chatcast/channels"
	"chatcast/models"
)

// Names of the events about a line itself.
const (
	EventMessengerStatus = "messengerStatus"
	EventQR              = "qr"
)

// MessengerStatusItem is the item of messengerStatus: the current state of the line.
type MessengerStatusItem struct {
	State       string  `json:"state"`
	Connected   bool    `json:"connected"`
	Phone       *string `json:"phone"`       // of the paired account
	Detail      string  `json:"detail"`      // a sentence for a person
	BannedUntil *int64  `json:"bannedUntil"` // unix seconds
	// RestrictedUntil is until when the account may not write to strangers, unix
	// seconds; null: it may.
	RestrictedUntil *int64         `json:"restrictedUntil"`
	Rating          string         `json:"rating"` // ok, careful, stop: see Rating
	RatingReasons   []RatingReason `json:"ratingReasons"`
	Time            int64          `json:"time"`
	// Was is the state before, when this is another one, or when LostSince is new: then it may be
	// the same.
	Was *string `json:"was,omitempty"`
	// LostSince is since when the account is not connected, unix seconds, once that has taken a
	// minute. Until it is connected, or ends, State is disconnected then.
	LostSince *int64 `json:"lostSince,omitempty"`
	Edited    *IDRef `json:"edited,omitempty"` // the employee who logged the account out
}

// QRItem is the item of qr: the codes that pair an account, or what its passkey has to
// sign. They are secret and valid for seconds. The event goes to the sockets only, never into the journal, and so has
// no eventId.
type QRItem struct {
	QR        *string      `json:"qr"`   // the text to show as a QR code
	Code      *string      `json:"code"` // to type into the phone
	ExpiresAt int64        `json:"expiresAt"`
	Passkey   *PasskeyStep `json:"passkey"` // in the state passkey
	// Picture is QR as a data URL of a PNG. It is drawn once, before the event is encoded for
	// anybody.
	Picture string `json:"picture,omitempty"`
}

// PictureURL returns Picture. Events of processes of an earlier version have none, so it is drawn then.
func (q *QRItem) PictureURL() string {
	if q.QR == nil || q.Picture != "" {
		return q.Picture
	}
	return QRPictureURL(*q.QR)
}

// emitLine emits an event about the line itself, to everybody who may read it.
func (c *change) emitLine(l *line, event string, item any) error {
	ev, err := c.lineEvent(l, event, item)
	if err == nil {
		c.emit(ev)
	}
	return err
}

func (c *change) lineEvent(l *line, event string, item any) (Event, error) {
	names, err := c.chatChannels(&models.Chat{CompanyID: l.companyID, LicenseID: l.licenseID, MessengerType: l.messenger}, nil)
	return l.event(event, names, item), err
}

func (l *line) event(name string, to []string, item any) Event {
	return Event{
		Name: name, CompanyID: l.companyID, Channels: to, Items: []any{item},
		Meta: LineMeta{Type: name, LicenseID: l.licenseID, MessengerType: l.messenger},
	}
}

// loggedOutBy returns the employee who logged the account out here, or nil.
func loggedOutBy(ctx context.Context, row *models.MessengerSession) *IDRef {
	by := CallerOf(ctx).UserID
	if row.State != StateLoggedOut || by == 0 {
		return nil
	}
	return &IDRef{by}
}

// stateBefore returns the state before a change of it, or nil when it is the same. A line
// without an account that could reconnect is not set up.
func stateBefore(before, after *models.MessengerSession) *string {
	if before.State == after.State {
		return nil
	}
	was := before.State
	if was == StateDisconnected && before.Device == "" {
		was = StateNotSetUp
	}
	return &was
}

// emitLineStatus emits messengerStatus. was is the state before, nil if nothing of it is another
// one; by is who logged the account out here.
func (c *change) emitLineStatus(l *line, row *models.MessengerSession, was *string, by *IDRef) error {
	x := lineSession(row, c.now)
	return c.emitLine(l, EventMessengerStatus, MessengerStatusItem{
		State: x.State, Connected: x.State == StateConnected, Phone: given(x.Phone), Detail: x.Detail,
		BannedUntil: x.BannedUntil, RestrictedUntil: restrictionAt(x.RestrictedUntil, c.now),
		Rating: x.Rating.Rating, RatingReasons: x.Rating.Reasons, Time: c.now.Unix(),
		Was: was, LostSince: x.LostSince, Edited: by,
	})
}

// PublishQR publishes the pairing data of a line to those who may pair it: on the own
// channels of the company's owners and admins, and on the channel for programs with a key.
// It is not stored.
func (s *Service) PublishQR(ctx context.Context, on Line, p Pairing) error {
	tx := s.Store.Read(ctx)
	l, err := lineForConnector(tx, on)
	if err != nil {
		return err
	}
	managers, err := tx.Managers(l.companyID)
	if err != nil {
		return err
	}
	names := []string{channels.PairingName(on.LicenseID, on.Messenger)}
	for _, id := range managers {
		names = append(names, channels.CompanyUserName(l.companyID, id), channels.PersonName(id))
	}
	item := QRItem{QR: p.QR, Code: p.Code, ExpiresAt: p.ExpiresAt, Passkey: p.Passkey}
	if p.QR != nil {
		item.Picture = QRPictureURL(*p.QR)
	}
	return s.publishLive([]Event{l.event(EventQR, names, item)})
}

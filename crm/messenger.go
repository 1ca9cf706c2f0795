package crm

import (
	"context"
	"time"
)

// pairingAgain is for how long one entry of the audit log tells that somebody asks for
// codes to pair a line with.
const pairingAgain = 5 * time.Minute

// TypeWhatsApp is the older WhatsApp Business type, whose chat ids are bare
// phone numbers.
const TypeWhatsApp = "WhatsApp"

// MessengerType describes a type of messenger.
type MessengerType struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	WhatsApp bool   `json:"whatsApp"` // its chats are phone numbers and it has 24-hour windows
}

// messengerTypes are the types with a display name. Other types are allowed: they are
// bridges, and their name is the type.
var messengerTypes = []MessengerType{
	{"grWhatsApp", "[WEB] WhatsApp", true},
	{"caWhatsApp", "[Cloud API] WhatsApp", true},
	{TypeWhatsApp, "WhatsApp Business", true},
	{"telegram", "Telegram", false},
	{"telegramBot", "Telegram bot", false},
	{"instagram", "Instagram", false},
	{"facebook", "Facebook Messenger", false},
	{"vkontakte", "VK", false},
	{"viber", "Viber", false},
	{"avito", "Avito", false},
	{"max", "MAX", false},
	{"email", "E-mail", false},
	{"webchat", "Web chat", false},
}

// LookupMessenger returns the description of a type. The name of an unknown type is the
// type itself.
func LookupMessenger(messengerType string) MessengerType {
	for _, m := range messengerTypes {
		if m.Type == messengerType {
			return m
		}
	}
	return MessengerType{Type: messengerType, Name: messengerType}
}

// IsWhatsApp reports whether the type is a kind of WhatsApp: its chats are phone
// numbers, groups or LIDs, its ids are strings, and it has 24-hour windows.
func IsWhatsApp(messengerType string) bool { return LookupMessenger(messengerType).WhatsApp }

// Line is one messenger of one licence.
type Line struct {
	LicenseID int64
	Messenger string
}

// What serves a line, unless a connector with a name of its own does.
const (
	ViaBridge = "bridge" // a program of the user's own
	ViaNone   = "none"
)

// LineStatus is the status of a line.
type LineStatus struct {
	State     string  `json:"state"` // connected, ...: the States of this package
	Connected bool    `json:"connected"`
	Via       string  `json:"via"`   // what serves the line: bridge, none, or the connector's name
	Phone     *string `json:"phone"` // of the paired account, when there is one
	Detail    string  `json:"detail"`
	// BannedUntil is the end of the account's ban, unix seconds; null: no ban, or not
	// known.
	BannedUntil *int64 `json:"bannedUntil"`
	// RestrictedUntil is until when the account may not write to strangers, unix
	// seconds; null: it may. First messages wait until then; answers are sent.
	RestrictedUntil *int64 `json:"restrictedUntil"`
	// Rating is how safely the account may write to strangers: ok, careful or stop; null:
	// the line has no account.
	Rating        *string        `json:"rating"`
	RatingReasons []RatingReason `json:"ratingReasons"`
	// Reconnects tells of a disconnected line that it has an account, and connects again by
	// itself.
	Reconnects bool `json:"-"`
	// LostSince is since when a line that connects again by itself is not connected, unix
	// seconds; absent: it is, or it is not for less than a minute.
	LostSince *int64 `json:"lostSince,omitempty"`
	// Ended is how the account was last disconnected for long; nil: it never was.
	Ended *LineEnd `json:"-"`
}

// Pairing is what a person needs to connect an account to a line.
type Pairing struct {
	QR        *string      `json:"qr"`        // the text to show as a QR code
	Code      *string      `json:"code"`      // to type into the phone
	ExpiresAt int64        `json:"expiresAt"` // unix seconds
	Passkey   *PasskeyStep `json:"passkey"`   // in the state passkey: confirm with the account's passkey

	// Beside is the QR code that pairs the account too while Code is shown; empty: none. Clients of
	// Evolution API show both.
	Beside string `json:"-"`
}

// Messenger is a connection to the outside; the connectors in the subfolders implement
// it. Its methods are never called inside a transaction. They return an *Error with
// CodeUnavailable when the line cannot serve the call now.
type Messenger interface {
	// Status returns the status of the line.
	Status(ctx context.Context, l Line) (LineStatus, error)
	// MessageID makes the id of a message that is about to be sent, unique in the line.
	MessageID(l Line) string
	// Typing shows the other side that we are writing (kind text) or recording (voice), or
	// have paused.
	// The signal may be lost.
	Typing(ctx context.Context, l Line, chatID, kind string) error
	// Pair begins to pair an account: with a code for that phone, or with a QR code
	// when phone is empty. While pairing goes on, it returns what to show now.
	Pair(ctx context.Context, l Line, phone string) (Pairing, error)
	// Logout ends the account's session.
	Logout(ctx context.Context, l Line) error
}

// messenger returns the connector of a type, or the connector for all other types.
func (s *Service) messenger(messengerType string) (Messenger, error) {
	if m, ok := s.Messengers[messengerType]; ok {
		return m, nil
	}
	if m, ok := s.Messengers[""]; ok {
		return m, nil
	}
	return nil, Unavailable("nothing in this program serves the messenger type " + messengerType)
}

// Unavailable returns the Error for a line or a store that cannot serve a request now.
func Unavailable(message string) *Error { return &Error{Code: CodeUnavailable, Message: message} }

// LineStatus returns the status of a line.
func (s *Service) LineStatus(ctx context.Context, a Actor, on Line) (LineStatus, error) {
	l, connector, err := s.connectorFor(ctx, a, on, read)
	if err != nil {
		return LineStatus{}, err
	}
	return s.lineStatus(ctx, l, connector, on)
}

// lineStatus is LineStatus for an actor who may know it.
func (s *Service) lineStatus(ctx context.Context, l *line, connector Messenger, on Line) (LineStatus, error) {
	status, err := connector.Status(ctx, on)
	return l.statusOf(connector, status, err, func() (*LineSession, error) { return s.SessionOf(ctx, on) })
}

// statusOf returns the status of a line of which its connector says this.
func (l *line) statusOf(connector Messenger, status LineStatus, err error, session func() (*LineSession, error)) (LineStatus, error) {
	if status.RatingReasons == nil {
		status.RatingReasons = []RatingReason{}
	}
	if err != nil || status.Via != ViaBridge || l.isBridge(connector) {
		return status, err
	}
	status = LineStatus{State: StateNotSetUp, Via: ViaNone, Detail: notSetUp, RatingReasons: []RatingReason{}}
	x, err := session()
	if err == nil && x != nil && x.Detail != stateSentences[x.State] { // why the last pairing failed
		status.Detail = x.Detail + " " + status.Detail
	}
	return status, err
}

// notSetUp says what a line needs that has neither an account nor a bridge.
const notSetUp = "Nothing serves this line yet: pair an account with it, or let a program of your own call POST .../inbound."

// isBridge reports whether a line without an account is a bridge. A line that cannot have
// an account is one from the beginning; others are when a program has served them.
func (l *line) isBridge(connector Messenger) bool {
	_, pairs := connector.(Queued)
	return !pairs || l.access.Bridge
}

// Pair begins to pair an account with a line: with a code for that phone, or with a QR
// code when phone is nil. Only owners and admins may do so: whoever has the code can
// connect their own phone. So the audit log tells who has asked for one.
func (s *Service) Pair(ctx context.Context, a Actor, on Line, phone *string) (Pairing, error) {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return Pairing{}, err
	}
	var digits string
	if phone != nil {
		if digits = phoneSigns.Replace(*phone); !phoneForm.MatchString(digits) {
			return Pairing{}, Invalid("phone", "must be a phone number of 5 to 15 digits with its country code")
		}
	}
	if err := s.change(ctx, func(c *change) error { return s.auditPairing(c, a, on, digits) }); err != nil {
		return Pairing{}, err
	}
	return connector.Pair(asking(ctx, a), on, digits)
}

// auditPairing writes an entry about somebody who asks for a code to pair a line with.
// Clients ask again and again while they show one, which needs no further entries.
func (s *Service) auditPairing(c *change, a Actor, on Line, phone string) error {
	l, err := s.line(c.tx, a, on.LicenseID, on.Messenger, manage)
	if err != nil {
		return err
	}
	e := audited{action: AuditLinePairing, by: a.auditor(), on: lineTarget(on.LicenseID, on.Messenger), details: map[string]string{"by": "qr"}}
	if phone != "" {
		e.details = map[string]string{"by": "phone", "phone": phone}
	}
	row, err := c.auditRow(e)
	if err != nil {
		return err
	}
	row.CompanyID = &l.companyID
	if done, err := c.tx.AuditedSince(row, c.now.Add(-pairingAgain).Unix()); err != nil || done {
		return err
	}
	return c.tx.AppendAudit(row)
}

// Logout ends the session of a line's account. Only owners and admins may do so.
func (s *Service) Logout(ctx context.Context, a Actor, on Line) error {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return err
	}
	return connector.Logout(asking(ctx, a), on)
}

// connectorFor authorises the actor on the line and returns the line and the connector
// that serves it.
func (s *Service) connectorFor(ctx context.Context, a Actor, on Line, n need) (*line, Messenger, error) {
	l, err := s.line(s.Store.Read(ctx), a, on.LicenseID, on.Messenger, n)
	if err != nil {
		return nil, nil, err
	}
	connector, err := s.messenger(on.Messenger)
	return l, connector, err
}

package multiwa

import (
	"encoding/json"
	"fmt"
	"time"

	"chatcast/crm"
)

// occurrence is an event of this dialect, without a name and a profile.
type occurrence struct {
	kind   kind
	detail string          // see names
	time   time.Time       // zero: the event says none
	data   json.RawMessage // compact
	short  any             // what clients of Socket.IO get under the names of shortNames, beside the profile; nil: nothing
}

// States of a profile, as session.status says them.
const (
	statusConnected    = "connected"
	statusDisconnected = "disconnected"
	statusConnecting   = "connecting"
	statusQR           = "qr"
)

// Statuses of messages of ours.
const (
	ackSent      = "sent"
	ackDelivered = "delivered"
	ackRead      = "read"
	ackFailed    = "failed"
	ackPending   = "pending"
)

// line is what an event's meta says about its line.
type line struct {
	LicenseID int64  `json:"licenseId"`
	Messenger string `json:"messengerType"`
}

func (l line) key() crm.Line { return crm.Line{LicenseID: l.LicenseID, Messenger: l.Messenger} }

// payload is the data of an event of the CRM.
type payload[Item any] struct {
	Payload struct {
		Data []Item `json:"data"`
		Meta line   `json:"meta"`
	} `json:"payload"`
}

// scene is what the translation of an item needs besides the item.
type scene struct {
	messenger string
	phone     string // of the line's account; empty: not known
}

// translate returns what an event of the CRM means in this dialect, in order. Of most events
// that is nothing. phone returns the number of a line's account.
func translate(name, data string, phone func(crm.Line) string) ([]occurrence, error) {
	switch name {
	case crm.EventMessage:
		return each(data, phone, scene.messages)
	case crm.EventMessageEdit:
		return each(data, phone, scene.arrived)
	case crm.EventMessageStatus:
		return each(data, phone, scene.ack)
	case crm.EventMessengerStatus:
		return each(data, phone, scene.session)
	case crm.EventQR:
		return each(data, phone, scene.qr)
	case crm.EventChatGroup:
		return each(data, phone, scene.group)
	case crm.EventContactName:
		return each(data, phone, scene.contact)
	}
	return nil, nil
}

// each translates the items of an event one after the other.
func each[Item any](data string, phone func(crm.Line) string, f func(scene, *Item) ([]occurrence, error)) ([]occurrence, error) {
	var p payload[Item]
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return nil, fmt.Errorf("multiwa: an event: %w", err)
	}
	at := scene{messenger: p.Payload.Meta.Messenger, phone: phone(p.Payload.Meta.key())}
	var all []occurrence
	for i := range p.Payload.Data {
		found, err := f(at, &p.Payload.Data[i])
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// occur makes an occurrence. seconds is its time; 0: the event says none.
func occur(k kind, detail string, seconds int64, data any) ([]occurrence, error) {
	return occurs(k, detail, seconds, data, nil)
}

// occurs is occur with what clients of Socket.IO get.
func occurs(k kind, detail string, seconds int64, data, short any) ([]occurrence, error) {
	text, err := encode(data)
	if err != nil {
		return nil, err
	}
	o := occurrence{kind: k, detail: detail, data: text, short: short}
	if seconds > 0 {
		o.time = time.Unix(seconds, 0)
	}
	return []occurrence{o}, nil
}

// isoTime is how JavaScript writes times.
const isoTime = "2006-01-02T15:04:05.000Z"

func iso(t time.Time) string       { return t.UTC().Format(isoTime) }
func isoSeconds(sec int64) string  { return iso(time.Unix(sec, 0)) }
func optional(text string) *string { return given(text != "", text) }

// given returns a pointer to v if it is given, else nil.
func given[V any](is bool, v V) *V {
	if !is {
		return nil
	}
	return &v
}

// ackData is the data of message.ack.
type ackData struct {
	MessageID string `json:"messageId"`
	Status    string `json:"status"`
	Ack       int    `json:"ack"`
}

// acks are the statuses of the CRM in this dialect.
var acks = map[string]ackData{
	"":          {Status: ackPending, Ack: 0},
	"sent":      {Status: ackSent, Ack: 1},
	"delivered": {Status: ackDelivered, Ack: 2},
	"viewed":    {Status: ackRead, Ack: 3},
	"played":    {Status: ackRead, Ack: 3}, // it has been listened to, so it was read
	"failed":    {Status: ackFailed, Ack: -1},
}

func (at scene) ack(item *crm.MessageStatusItem) ([]occurrence, error) {
	data, known := acks[item.Type]
	if !known || item.Type == "" || item.Played { // what was played was read before
		return nil, nil
	}
	data.MessageID = messageID(true, chatID(at.messenger, item.Chat.ID), item.ID.String(), "")
	return occurs(kindAck, data.Status, item.Time, data, data)
}

// sessionData is the data of session.status.
type sessionData struct {
	Status string  `json:"status"`
	Phone  *string `json:"phone,omitempty"`
	Reason *string `json:"reason,omitempty"`
}

// sessionStatus returns the status for a state of a line, and why it is not connected.
func sessionStatus(state string) (status, reason string) {
	switch state {
	case crm.StateConnected:
		return statusConnected, ""
	case crm.StatePairing, crm.StatePasskey:
		return statusQR, ""
	case crm.StateConnecting:
		return statusConnecting, ""
	case crm.StateDisconnected:
		return statusDisconnected, "connection_lost"
	}
	return statusDisconnected, state
}

func (at scene) session(item *crm.MessengerStatusItem) ([]occurrence, error) {
	data := sessionData{}
	var reason string
	data.Status, reason = sessionStatus(item.State)
	if item.Was == nil || *item.Was == item.State { // something else of the line has changed
		return nil, nil
	}
	if item.Connected { // bridges have states of their own
		data.Status, reason = statusConnected, ""
	}
	data.Phone, data.Reason = item.Phone, optional(reason)
	return occurs(kindSession, data.Status, item.Time, data, shortSession(data))
}

// qrData is the data of qr.updated.
type qrData struct {
	QR        string `json:"qr"` // a picture, as a data URL
	Code      string `json:"code"`
	ExpiresAt string `json:"expiresAt"`
}

func (at scene) qr(item *crm.QRItem) ([]occurrence, error) {
	if item.QR == nil { // a code to type, or a passkey: this dialect has neither
		return nil, nil
	}
	picture := item.PictureURL()
	return occurs(kindQR, "", 0, qrData{QR: picture, Code: *item.QR, ExpiresAt: isoSeconds(item.ExpiresAt)}, shortQR{picture})
}

// groupData is the data of group.join and group.leave.
type groupData struct {
	GroupID      string   `json:"groupId"`
	Participants []string `json:"participants"`
	By           *string  `json:"by,omitempty"`
}

// groupKinds are the changes of a group that are told, and whether they are about the
// account itself.
var groupKinds = map[string]struct {
	kind kind
	own  bool
}{
	crm.GroupAdd: {kindJoin, false}, crm.GroupRemove: {kindLeave, false},
	crm.GroupJoin: {kindJoin, true}, crm.GroupLeave: {kindLeave, true}, crm.GroupDelete: {kindLeave, true},
}

func (at scene) group(item *crm.ChatGroupItem) ([]occurrence, error) {
	what, told := groupKinds[item.Type]
	if !told {
		return nil, nil
	}
	data := groupData{GroupID: item.Chat.ID, Participants: []string{}}
	for _, m := range item.Members {
		data.Participants = append(data.Participants, personID(at.messenger, m.ID, m.Phone))
	}
	if own := ownID(at.phone); what.own && len(data.Participants) == 0 && own != "" {
		data.Participants = append(data.Participants, own)
	}
	if item.By != nil {
		data.By = optional(personID(at.messenger, item.By.ID.String(), item.By.Phone))
	}
	return occur(what.kind, "", item.Time, data)
}

// contactData is the data of contact.update.
type contactData struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	PushName      *string `json:"pushName"`
	ProfilePicURL *string `json:"profilePicUrl"`
}

func (at scene) contact(item *crm.ContactNameItem) ([]occurrence, error) {
	return occur(kindContact, "", 0, contactData{ID: chatID(at.messenger, item.Contact.ID.String()), Name: item.Name})
}

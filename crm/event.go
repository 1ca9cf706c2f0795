package crm

import (
	"encoding/json"
	"strconv"
	"time"

	"chatcast/models"
)

// Event is an event of the catalogue, ready for the journal. Its items are of this
// package's item types, its meta is of one of the meta types.
type Event struct {
	Name      string // "message", "chatTag", ...: the Pusher event name and meta.type
	CompanyID int64
	Channels  []string // full names, "private-v1...."
	Items     []any
	Meta      any
	Messages  []int64 // rows of the messages whose content the items show

	moved *chatMove // the chat that has another id from this event on; nil: none
	last  bool      // the line is deleted with it: see awaitLast
}

// envelope is the data of every event: {"payload":{"data":[...],"meta":{...}}}.
// meta is last, so that WithEventID can complete it.
type envelope struct {
	Payload payload `json:"payload"`
}

type payload struct {
	Data []any `json:"data"`
	Meta any   `json:"meta"`
}

// LineMeta is the meta of events on a line's channel.
type LineMeta struct {
	Type          string `json:"type"`
	LicenseID     int64  `json:"licenseId"`
	MessengerType string `json:"messengerType"`
}

// CompanyMeta is the meta of events on a company's channel.
type CompanyMeta struct {
	Type      string `json:"type"`
	CompanyID int64  `json:"companyId"`
}

// UserMeta is the meta of events on a user's channel. UserID is a string, as in
// ChatApp's examples.
type UserMeta struct {
	Type   string `json:"type"`
	UserID string `json:"userId"`
}

// The beginning and the end of every event's data: meta is an object.
const (
	envelopeHead = `{"payload":`
	envelopeTail = "}}}"
)

// WithEventID adds seq, the number that the relay assigned, to journalled data as
// payload.meta.eventId. data must be the JSON of an event's envelope.
func WithEventID(data string, seq int64) string {
	b := make([]byte, 0, len(data)+len(`,"eventId":`)+20)
	b = append(b, data[:len(data)-len(envelopeTail)]...)
	b = append(b, `,"eventId":`...)
	b = strconv.AppendInt(b, seq, 10)
	return string(append(b, envelopeTail...))
}

// entry returns ev as a journal row. It checks nothing, because only this package
// makes events, and the tests check each event against its schema.
func (ev Event) entry(now time.Time) (*models.JournalEntry, error) {
	data, err := json.Marshal(envelope{Payload: payload{Data: ev.Items, Meta: ev.Meta}})
	if err != nil {
		return nil, err
	}
	names, err := json.Marshal(ev.Channels)
	if err != nil {
		return nil, err
	}
	return &models.JournalEntry{
		CompanyID: ev.CompanyID, Name: ev.Name, Channels: string(names),
		Data: string(data), CreatedAtMS: now.UnixMilli(), Messages: ev.Messages,
	}, nil
}

package shape

import (
	"encoding/json"
	"fmt"
	"time"

	"chatcast/crm"
)

// Shape is a version of Evolution's words.
type Shape string

// The shapes.
const (
	V2    Shape = "v2"
	V1    Shape = "v1"
	L2msg Shape = "l2msg" // V2 with times of messages as strings
)

// Instance is what rendering needs to know of an instance. It is comparable.
type Instance struct {
	ID          string // lower-case UUID
	Name        string
	Phone       string // digits of the line's account; empty: none was paired
	ProfileName string // empty: not known
	ServerURL   string // the address under which clients reach this server

	// GroupsIgnore leaves out events of groups, and messages in them.
	GroupsIgnore bool
	// Events are those that the client wants. The zero Filter lets all pass.
	Events Filter
}

// jid returns the JID of the instance's account, or "" before one was paired.
func (i Instance) jid() string {
	if i.Phone == "" {
		return ""
	}
	return i.Phone + userServer
}

// Event is an event of the CRM as the journal and the hub have it.
type Event struct {
	Name string    // such as message
	Data string    // {"payload":{"data":[...],"meta":{...}}}
	At   time.Time // the envelope's date_time
}

// Emit is one event in Evolution's words.
type Emit struct {
	Name string          // on the wire, such as messages.upsert
	Data json.RawMessage // the whole envelope
	// File is the link to the file of a message; empty: it has none that can be fetched.
	File string

	content int // where in Data the member message ends: its closing brace; 0: there is none
	data    int // where in Data the member data ends: the sign after it
}

// WithBase64 returns the envelope with the bytes of the message's file in it, as
// message.base64. For an Emit without a message it returns the envelope as it is.
func (e Emit) WithBase64(file []byte) json.RawMessage {
	if e.content == 0 {
		return e.Data
	}
	w := writer{b: make([]byte, 0, len(e.Data)+len(file)*4/3+32)}
	w.b = append(w.b, e.Data[:e.content]...)
	w.bytes("base64", file)
	return append(w.b, e.Data[e.content:]...)
}

// WithDestination returns the envelope as webhooks have it: with the URL that it is sent to,
// after the data. WithBase64 may follow.
func (e Emit) WithDestination(url string) Emit {
	w := writer{b: make([]byte, 0, len(e.Data)+len(url)+32)}
	w.b = append(w.b, e.Data[:e.data]...)
	w.str("destination", url)
	e.Data = append(w.b, e.Data[e.data:]...)
	return e
}

// rendering is the work on one event.
type rendering struct {
	in    Instance
	shape Shape
	at    time.Time
	emits []Emit
	err   error
}

// Render returns what an event of the CRM is in a shape. An event that Evolution has no
// word for, or that the instance's filter leaves out, is nothing. It returns an error when the
// data is not that of the CRM.
func Render(ev Event, in Instance, shape Shape) ([]Emit, error) {
	render, known := renderers[ev.Name]
	if !known {
		return nil, nil
	}
	r := &rendering{in: in, shape: shape, at: ev.At}
	render(r, ev.Data)
	return r.emits, r.err
}

// renderers holds the events of the CRM that Evolution has words for.
var renderers = map[string]func(r *rendering, data string){
	"message":         (*rendering).message,
	"messageStatus":   (*rendering).messageStatus,
	"messageEdit":     (*rendering).messageEdit,
	"messageDelete":   (*rendering).messageDelete,
	"call":            (*rendering).call,
	"chatRead":        (*rendering).chatRead,
	"chatState":       (*rendering).chatState,
	"chatStatus":      (*rendering).chatStatus,
	"chatName":        (*rendering).chatName,
	"chatTag":         (*rendering).chatTag,
	"chatMerge":       (*rendering).chatMerge,
	"chatPresence":    (*rendering).chatPresence,
	"chatGroup":       (*rendering).chatGroup,
	"contactName":     (*rendering).contactName,
	"messengerStatus": (*rendering).messengerStatus,
	"qr":              (*rendering).qr,
	"instance":        (*rendering).instance,
	"companyTag":      (*rendering).tag,

	crm.EventPast:     (*rendering).past,
	crm.EventUnseen:   (*rendering).unseen,
	crm.EventTally:    (*rendering).tally,
	crm.EventContact:  (*rendering).picture,
	crm.EventChatGone: (*rendering).chatGone,
}

// items decodes the items of an event. It returns nil when the data is not the CRM's, which makes
// the rendering fail.
func items[T any](r *rendering, data string) []T {
	var ev struct {
		Payload struct {
			Data []T `json:"data"`
		} `json:"payload"`
	}
	if err := json.Unmarshal([]byte(data), &ev); err != nil {
		r.err = fmt.Errorf("the event cannot be decoded: %w", err)
		return nil
	}
	return ev.Payload.Data
}

// emit adds an event whose data is what write writes, unless the filter leaves it out.
func (r *rendering) emit(name string, write func(w *writer)) {
	if !r.wants(name) {
		return
	}
	w := r.open(name)
	write(w)
	r.emits = append(r.emits, r.close(name, w))
}

// wants reports whether the client gets events of this name.
func (r *rendering) wants(name string) bool { return r.in.Events.Has(name, r.shape) }

// open begins an envelope, up to its data.
func (r *rendering) open(name string) *writer {
	w := &writer{b: make([]byte, 0, 1024)}
	w.object("")
	w.str("event", name)
	w.str("instance", r.in.Name)
	w.key("data")
	return w
}

// close ends an envelope.
func (r *rendering) close(name string, w *writer) Emit { return r.closeWith(name, w, func() {}) }

// closeWith is close with what rest writes beside the data.
func (r *rendering) closeWith(name string, w *writer, rest func()) Emit {
	data := len(w.b)
	rest()
	w.str("date_time", r.at.UTC().Format(isoTime))
	w.optional("sender", r.in.jid())
	w.str("server_url", r.in.ServerURL)
	w.null("apikey")
	w.end()
	return Emit{Name: name, Data: w.b, File: w.file, content: w.content, data: data}
}

// isoTime is a time as JavaScript prints it.
const isoTime = "2006-01-02T15:04:05.000Z"

// iso returns unix seconds as JavaScript prints a time.
func iso(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(isoTime) }

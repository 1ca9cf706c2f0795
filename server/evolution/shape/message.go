package shape

import (
	"encoding/json"
	"strings"

	"chatcast/crm"
)

// Statuses of messages.
const (
	statusPending   = "PENDING"
	statusServer    = "SERVER_ACK"
	statusDelivered = "DELIVERY_ACK"
	statusRead      = "READ"
	statusPlayed    = "PLAYED"
	statusError     = "ERROR"
	statusEdited    = "EDITED"
	statusDeleted   = "DELETED"
)

// Status returns the status of a message of ours, or "" for one that the CRM does not know.
func Status(status string) string {
	switch status {
	case "":
		return statusPending
	case "sent":
		return statusServer
	case "delivered":
		return statusDelivered
	case "viewed":
		return statusRead
	case "played":
		return statusPlayed
	case "failed":
		return statusError
	}
	return ""
}

// Object returns the message object of a message of the store, for an answer over HTTP.
func Object(m *crm.HistoryItem, in Instance, shape Shape) json.RawMessage {
	r := &rendering{in: in, shape: shape}
	w := &writer{b: make([]byte, 0, 1024)}
	r.object(w, &m.MessageItem, objectForm{status: statusOf(m)})
	return w.b
}

// SentObject is Object for the answer to a request that sent the message: it is what the
// event send.message has, whatever became of the message meanwhile.
func SentObject(m *crm.MessageItem, in Instance, shape Shape) json.RawMessage {
	r := &rendering{in: in, shape: shape}
	w := &writer{b: make([]byte, 0, 1024)}
	r.object(w, m, objectForm{status: statusPending, sent: true})
	return w.b
}

// Record is Object as the list of messages has it: with the message's id, and its last
// status in MessageUpdate. Version 1 has neither.
func Record(m *crm.HistoryItem, in Instance, shape Shape) json.RawMessage {
	if shape == V1 {
		return Object(m, in, shape)
	}
	r := &rendering{in: in, shape: shape}
	w := &writer{b: make([]byte, 0, 1024)}
	form := objectForm{id: m.ID.String(), record: true}
	if m.FromMe && m.Status != "" || m.DeletedAt != nil {
		form.status = statusOf(m)
	}
	r.object(w, &m.MessageItem, form)
	return w.b
}

func statusOf(m *crm.HistoryItem) string {
	switch {
	case m.DeletedAt != nil:
		return statusDeleted
	case m.Played && m.FromMe:
		return statusPlayed
	case m.Status != "" && m.FromMe:
		return Status(m.Status)
	}
	return firstStatus(&m.MessageItem)
}

// firstStatus returns the status of a message when it is new.
func firstStatus(m *crm.MessageItem) string {
	switch {
	case !m.FromMe:
		return statusDelivered
	case m.FromAPI:
		return statusPending
	}
	return statusServer
}

// objectForm is what distinguishes the places in which message objects are.
type objectForm struct {
	status string
	sent   bool   // of a message that was sent just now
	id     string // the member id; empty: there is none
	record bool   // in a list of messages
}

// object writes the message object.
func (r *rendering) object(w *writer, m *crm.MessageItem, form objectForm) {
	f := r.facts(m)
	context := r.context(m, &f)
	c := r.content(m.Type, value(m.Subtype), &m.Message, f.key.remoteJID, context)
	c.time = m.Time
	w.object("")
	w.optional("id", form.id)
	f.key.write(w, "key")
	w.orNull("pushName", f.pushName)
	if !form.record && (r.shape != V1 || form.sent) {
		w.optional("status", form.status)
	}
	w.object("message")
	c.write(w)
	if link := r.link(m.Message.File); link != "" {
		w.str("mediaUrl", link)
		w.file = link
	}
	w.content = len(w.b)
	w.end()
	if context != nil {
		context.write(w)
	}
	w.str("messageType", c.name)
	if r.shape == L2msg || r.shape == V1 && form.sent {
		w.long("messageTimestamp", m.Time)
	} else {
		w.int("messageTimestamp", m.Time)
	}
	if r.shape == V1 {
		w.str("owner", r.in.Name)
	} else {
		w.str("instanceId", r.in.ID)
	}
	w.str("source", Source(f.key.id))
	if v := m.Message.Vote; v != nil {
		pollUpdates(w, v, f.author)
	}
	if form.record {
		w.array("MessageUpdate")
		if form.status != "" {
			w.object("")
			w.str("status", form.status)
			w.end()
		}
		w.end()
	}
	w.end()
}

// pollUpdates writes what one voter chooses.
func pollUpdates(w *writer, v *crm.PollVote, voter string) {
	w.array("pollUpdates")
	for _, option := range v.Options {
		w.object("")
		w.str("name", option)
		w.array("voters")
		w.str("", voter)
		w.end()
		w.end()
	}
	w.end()
}

// link returns the link to a file, or "" when nothing is there and nothing will be.
func (r *rendering) link(f *crm.FileData) string {
	switch {
	case f == nil || f.State != "" && f.State != crm.FilePending:
		return ""
	}
	return r.address(f.Link)
}

// address returns a link whole: the CRM may not know the server's address.
func (r *rendering) address(link string) string {
	if strings.HasPrefix(link, "/") {
		return strings.TrimSuffix(r.in.ServerURL, "/") + link
	}
	return link
}

// Kind returns the messageType of a message.
func Kind(m *crm.MessageItem, shape Shape) string {
	r := &rendering{shape: shape}
	f := r.facts(m)
	return r.content(m.Type, value(m.Subtype), &m.Message, f.key.remoteJID, r.context(m, &f)).name
}

// RemoteJID returns the JID of a message's chat, and of its author if it is in a group.
func RemoteJID(m *crm.MessageItem) (chat, participant string) {
	f := new(rendering).facts(m)
	return f.key.remoteJID, f.key.participant
}

package shape

import (
	"time"

	"chatcast/crm"
)

// messageEdit renders a message whose content is another one. That its file has come is no
// edit: clients have the link to it already.
func (r *rendering) messageEdit(data string) {
	list := items[crm.MessageEditItem](r, data)
	for i := range list {
		switch e := &list[i]; {
		case r.in.GroupsIgnore && IsGroup(e.Chat.ID), e.Cause == crm.CauseFile:
		case e.Cause == crm.CauseArrived && e.Arrived != nil:
			r.arrived(e.Arrived, crm.MessageNews{})
		default:
			if e.Arrived != nil { // clients do not have it yet
				r.arrived(e.Arrived, crm.MessageNews{})
			}
			r.edited(e)
		}
	}
}

// edited renders an edit by its author. One through the API has a name of its own.
func (r *rendering) edited(e *crm.MessageEditItem) {
	name := "messages.edited"
	if e.Edited != nil || e.FromApp != nil || e.Error != nil {
		name = "send.message.update"
	}
	k := r.changedKey(e.Chat.ID, e.ID.String(), e.Origin)
	c := r.content(e.Type, "", &e.Message, k.remoteJID, nil)
	r.emit(name, func(w *writer) {
		w.object("")
		k.write(w, "key")
		w.str("type", "MESSAGE_EDIT")
		w.object("editedMessage")
		c.write(w)
		w.end()
		w.long("timestampMs", e.Time*1000)
		w.end()
	})
	r.emit("messages.update", func(w *writer) { r.update(w, &k, statusEdited, e.Time, &c, nil) })
}

// changedKey returns the key of a message that was changed. of is nil for one that is not
// here: it is of somebody else then.
func (r *rendering) changedKey(chat, id string, of *crm.MessageOrigin) key {
	if of == nil {
		return key{remoteJID: JID(chat), id: id}
	}
	return r.originKey(JID(chat), id, of)
}

// messageDelete renders that a message was deleted for everyone, unless it never was here.
func (r *rendering) messageDelete(data string) {
	list := items[crm.MessageDeleteItem](r, data)
	for i := range list {
		d := &list[i]
		if d.Origin == nil || r.in.GroupsIgnore && IsGroup(d.Chat.ID) {
			continue
		}
		k := r.changedKey(d.Chat.ID, d.ID.String(), d.Origin)
		r.emit("messages.delete", func(w *writer) { r.deleted(w, d, &k) })
	}
}

// deleted writes a deletion. What the message said is gone, so message is empty.
func (r *rendering) deleted(w *writer, d *crm.MessageDeleteItem, k *key) {
	if r.shape == V1 {
		k.write(w, "")
		return
	}
	w.object("")
	if d.Edited == nil && d.FromApp == nil {
		w.str("remoteJid", k.remoteJID)
		w.bool("fromMe", k.fromMe)
		w.str("id", k.id)
		w.optional("participant", k.participant)
		w.str("status", statusDeleted)
		w.end()
		return
	}
	c := r.content(d.Origin.Type, "", &crm.Content{}, k.remoteJID, nil)
	w.str("id", k.id)
	w.str("instanceId", r.in.ID)
	k.write(w, "key")
	w.str("messageType", c.name)
	w.str("status", statusDeleted)
	w.str("source", Source(k.id))
	w.int("messageTimestamp", d.Origin.Time)
	name := r.in.ProfileName
	if name == "" {
		name = ownName
	}
	w.str("pushName", name)
	w.orNull("participant", k.participant)
	w.object("message")
	w.end()
	w.end()
}

// RevokeObject returns the answer to a request that deletes a message for everyone.
func RevokeObject(m *crm.HistoryItem, id string, at time.Time, in Instance, shape Shape) []byte {
	r := &rendering{in: in, shape: shape}
	f := r.facts(&m.MessageItem)
	return r.protocol(&f.key, id, at, func(w *writer) { w.str("type", "REVOKE") })
}

// EditObject returns the answer to a request that edits a message. m is the message as it
// is afterwards.
func EditObject(m *crm.HistoryItem, id string, at time.Time, in Instance, shape Shape) []byte {
	r := &rendering{in: in, shape: shape}
	f := r.facts(&m.MessageItem)
	c := r.content(m.Type, value(m.Subtype), &m.Message, f.key.remoteJID, nil)
	return r.protocol(&f.key, id, at, func(w *writer) {
		w.str("type", "MESSAGE_EDIT")
		w.object("editedMessage")
		c.write(w)
		w.end()
	})
}

// protocol returns a message of ours that changes another one. id is its own.
func (r *rendering) protocol(of *key, id string, at time.Time, rest func(w *writer)) []byte {
	w := &writer{}
	w.object("")
	own := key{remoteJID: of.remoteJID, fromMe: true, id: id}
	own.write(w, "key")
	w.object("message")
	w.object("protocolMessage")
	of.write(w, "key")
	rest(w)
	w.end()
	w.end()
	w.long("messageTimestamp", at.Unix())
	w.str("status", statusPending)
	w.end()
	return w.b
}

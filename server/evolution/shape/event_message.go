package shape

import "chatcast/crm"

// message renders a message that came in, was sent here, or was typed on the phone.
func (r *rendering) message(data string) {
	list := items[crm.MessageEvent](r, data)
	for i := range list {
		r.arrived(&list[i].MessageItem, list[i].MessageNews)
	}
}

// arrived renders a message. That of a call is nothing: the event call tells of it. Of a placeholder
// for one that could not be read only the chat and the person are told: clients would take the message
// itself, which has the same id, for a copy of it.
func (r *rendering) arrived(m *crm.MessageItem, news crm.MessageNews) {
	if r.in.GroupsIgnore && m.Chat.Type == "group" || m.Type == messageCall {
		return
	}
	if (news.NewChat || news.Unread != nil) && !isStatus(m) {
		r.emit("chats.upsert", func(w *writer) { r.chatOf(w, m, news.Unread) })
	}
	name, form := "messages.upsert", objectForm{status: firstStatus(m)}
	if m.FromMe && m.FromAPI {
		name, form.sent = "send.message", true
	}
	if !m.IsPlaceholder() {
		r.emit(name, func(w *writer) { r.object(w, m, form) })
	}
	switch news.Contact {
	case crm.ContactNew:
		r.emit("contacts.upsert", func(w *writer) { r.contactOf(w, m, "") })
	case crm.ContactChanged:
		r.emit("contacts.update", func(w *writer) { r.contactOf(w, m, unknownPicture) })
	}
}

// chatOf writes the chat of a message, in a list.
func (r *rendering) chatOf(w *writer, m *crm.MessageItem, unread *int64) {
	jid, _ := personJID(m.Chat.ID, value(m.Chat.Phone), value(m.Chat.LID))
	r.chat(w, jid, func() {
		w.orNull("name", m.Chat.Name)
		n := int64(0)
		if unread != nil {
			n = *unread
		}
		w.int("unreadMessages", n)
	})
}

// chat writes a list of one chat. Version 1 knows only whose it is.
func (r *rendering) chat(w *writer, jid string, rest func()) {
	w.array("")
	w.object("")
	if r.shape == V1 {
		w.str("id", jid)
		w.str("owner", r.in.Name)
	} else {
		w.str("remoteJid", jid)
		w.str("instanceId", r.in.ID)
		rest()
	}
	w.end()
	w.end()
}

// contactOf writes the author of a message of somebody else. picture is what is said of their picture
// when the message does not have it.
func (r *rendering) contactOf(w *writer, m *crm.MessageItem, picture string) {
	f := r.facts(m)
	if m.Chat.Type == "private" && m.Chat.Image != nil { // that of a group is not its author's
		picture = r.address(*m.Chat.Image)
	}
	r.contact(w, f.author, m.FromUser.Name, picture)
}

// unknownPicture is the address of a picture of which the event tells nothing. Clients that know the
// picture must not be told that there is none.
const unknownPicture = "?"

// contact writes a person. An empty picture is none.
func (r *rendering) contact(w *writer, jid, name, picture string) {
	w.object("")
	id, pic := "remoteJid", "profilePicUrl"
	if r.shape == V1 {
		id, pic = "id", "profilePictureUrl"
	}
	w.str(id, jid)
	w.orNull("pushName", name)
	if picture != unknownPicture {
		w.orNull(pic, picture)
	}
	if r.shape == V1 {
		w.str("owner", r.in.Name)
	} else {
		w.str("instanceId", r.in.ID)
	}
	w.end()
}

// messageCall is the CRM's type of a call that came in.
const messageCall = "call"

// call renders a step of a call.
func (r *rendering) call(data string) {
	list := items[crm.CallItem](r, data)
	for i := range list {
		x := &list[i]
		if r.in.GroupsIgnore && x.Group {
			continue
		}
		from, _ := r.author(&x.FromUser, false)
		r.emit("call", func(w *writer) {
			w.object("")
			w.str("id", x.ID)
			w.str("from", from)
			w.str("chatId", JID(x.Chat.ID))
			w.str("date", iso(x.Time))
			w.bool("offline", false)
			w.str("status", x.Type)
			w.bool("isVideo", x.Video)
			w.bool("isGroup", x.Group)
			w.end()
		})
	}
}

// messageStatus renders the status of a message of ours.
func (r *rendering) messageStatus(data string) {
	for _, m := range items[crm.MessageStatusItem](r, data) {
		status := Status(m.Type)
		if m.Played {
			status = statusPlayed
		}
		if status == "" || r.in.GroupsIgnore && m.Chat.Type == "group" {
			continue
		}
		jid, _ := personJID(m.Chat.ID, value(m.Chat.Phone), "")
		k := key{remoteJID: jid, id: m.ID.String(), fromMe: true}
		r.emit("messages.update", func(w *writer) { r.update(w, &k, status, m.Time, nil, nil) })
	}
}

// update writes what is new of a message. edited, unless nil, is its new content, and tally, unless
// nil, writes how a poll stands.
func (r *rendering) update(w *writer, k *key, status string, time int64, edited *content, tally func()) {
	w.object("")
	if r.shape == V1 {
		w.str("remoteJid", k.remoteJID)
		w.str("id", k.id)
	} else {
		w.str("keyId", k.id)
		w.str("remoteJid", k.remoteJID)
	}
	w.bool("fromMe", k.fromMe)
	w.optional("participant", k.participant)
	w.str("status", status)
	if edited != nil {
		w.object("message")
		w.object("editedMessage")
		edited.write(w)
		w.end()
		w.end()
	}
	if tally != nil {
		tally()
	}
	if r.shape == V1 {
		w.int("datetime", time*1000)
		w.str("owner", r.in.Name)
	} else {
		w.str("instanceId", r.in.ID)
		w.str("messageId", k.id)
	}
	w.end()
}

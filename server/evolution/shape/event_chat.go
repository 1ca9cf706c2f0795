package shape

import (
	"strconv"

	"chatcast/crm"
)

// chatRead renders that nothing in a chat is unread any more.
func (r *rendering) chatRead(data string) {
	for _, x := range items[crm.ChatReadItem](r, data) {
		r.chatChanged("chats.upsert", x.Chat.ID, func(w *writer) { w.int("unreadMessages", 0) })
	}
}

// chatStatus renders that a chat was closed or opened here.
func (r *rendering) chatStatus(data string) {
	for _, x := range items[crm.ChatStatusItem](r, data) {
		r.chatChanged("chats.update", x.Chat.ID, func(*writer) {})
	}
}

// chatState renders that the phone arranges a chat in another way: archived, pinned, muted or
// marked as unread.
func (r *rendering) chatState(data string) {
	for _, x := range items[crm.ChatStateItem](r, data) {
		r.chatChanged("chats.update", x.Chat.ID, func(*writer) {})
	}
}

func (r *rendering) chatName(data string) {
	for _, x := range items[crm.ChatNameItem](r, data) {
		r.chatChanged("chats.upsert", x.Chat.ID, func(w *writer) { w.str("name", x.Name) })
	}
}

func (r *rendering) chatChanged(name, id string, rest func(w *writer)) {
	if r.in.GroupsIgnore && IsGroup(id) {
		return
	}
	r.emit(name, func(w *writer) { r.chat(w, JID(id), func() { rest(w) }) })
}

// chatTag renders a tag as a label.
func (r *rendering) chatTag(data string) {
	for _, x := range items[crm.ChatTagItem](r, data) {
		if r.in.GroupsIgnore && IsGroup(x.Chat.ID) {
			continue
		}
		typ := "add"
		if x.Type == crm.TypeDestroy {
			typ = "remove"
		}
		r.emit("labels.association", func(w *writer) {
			w.object("")
			w.str("instance", r.in.Name)
			w.str("type", typ)
			w.str("chatId", JID(x.Chat.ID))
			w.str("labelId", strconv.FormatInt(x.Tag.ID, 10))
			w.end()
		})
	}
}

// tag renders a change of the company's tags, which are the labels of its instances.
func (r *rendering) tag(data string) {
	for _, x := range items[crm.TagItem](r, data) {
		r.emit("labels.edit", func(w *writer) {
			w.object("")
			w.str("id", strconv.FormatInt(x.Tag.ID, 10))
			w.str("name", x.Tag.Name)
			w.int("color", int64(crm.LabelColorOf(x.Tag.Color)))
			w.bool("deleted", x.Type == crm.TypeDestroy)
			w.str("instance", r.in.Name)
			w.end()
		})
	}
}

// chatMerge renders that the phone number of a person became known who had only a LID, or
// that a number has another form.
func (r *rendering) chatMerge(data string) {
	for _, x := range items[crm.ChatMergeItem](r, data) {
		if IsGroup(x.To.ID) {
			continue
		}
		r.emit("contacts.update", func(w *writer) {
			w.object("")
			if r.shape == V1 {
				w.str("id", JID(x.To.ID))
				w.str("owner", r.in.Name)
			} else {
				w.str("remoteJid", JID(x.To.ID))
				w.str("remoteJidAlt", JID(x.From.ID))
				w.str("instanceId", r.in.ID)
			}
			w.end()
		})
	}
}

func (r *rendering) contactName(data string) {
	for _, x := range items[crm.ContactNameItem](r, data) {
		r.emit("contacts.update", func(w *writer) { r.contact(w, JID(x.Contact.ID.String()), x.Name, unknownPicture) })
	}
}

// presences are Evolution's words for what people do in a chat.
var presences = map[string]string{
	crm.PresenceTyping: "composing", crm.PresenceRecording: "recording", crm.PresencePaused: "paused",
	crm.PresenceOnline: "available", crm.PresenceOffline: "unavailable",
}

func (r *rendering) chatPresence(data string) {
	list := items[crm.ChatPresenceItem](r, data)
	for i := range list {
		x := &list[i]
		shown := presences[x.Type]
		if shown == "" || r.in.GroupsIgnore && IsGroup(x.Chat.ID) {
			continue
		}
		jid, _ := r.author(&x.FromUser, false)
		r.emit("presence.update", func(w *writer) {
			w.object("")
			w.str("id", JID(x.Chat.ID))
			w.object("presences")
			w.object(jid)
			w.str("lastKnownPresence", shown)
			if x.LastSeen != nil {
				w.int("lastSeen", *x.LastSeen)
			}
			w.end()
			w.end()
			w.end()
		})
	}
}

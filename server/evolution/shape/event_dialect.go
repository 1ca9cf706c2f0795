package shape

import "chatcast/crm"

// past renders what a part of the history brought: new chats, new messages, and people who are new or
// have another name.
func (r *rendering) past(data string) {
	list := items[crm.PastItem](r, data)
	for i := range list {
		p := &list[i]
		r.pastChats(p)
		r.pastMessages(p)
		r.people("contacts.set", p.New)
		r.people("contacts.upsert", p.New)
		r.people("contacts.update", p.Changed)
	}
}

func (r *rendering) pastChats(p *crm.PastItem) {
	r.list("chats.set", len(p.Chats), func(w *writer, i int) {
		c := &p.Chats[i]
		jid, _ := personJID(c.ID, value(c.Phone), value(c.LID))
		if r.in.GroupsIgnore && IsGroup(jid) {
			return
		}
		w.object("")
		if r.shape == V1 {
			w.str("id", jid)
			w.str("owner", r.in.Name)
			if i < len(p.LastTime) {
				w.int("lastMsgTimestamp", p.LastTime[i])
			}
		} else {
			w.str("remoteJid", jid)
			w.str("instanceId", r.in.ID)
			w.orNull("name", c.Name)
		}
		w.end()
	}, nil)
}

func (r *rendering) pastMessages(p *crm.PastItem) {
	r.list("messages.set", len(p.Messages), func(w *writer, i int) {
		m := &p.Messages[i]
		if r.in.GroupsIgnore && m.Chat.Type == "group" || m.Type == messageCall || m.IsPlaceholder() {
			return
		}
		form := objectForm{status: firstStatus(&m.MessageItem)}
		if m.FromMe && m.Status != "" {
			form.status = Status(m.Status)
		}
		r.object(w, &m.MessageItem, form)
	}, func(w *writer) {
		w.bool("isLatest", p.Latest)
		if p.Progress != nil {
			w.int("progress", *p.Progress)
		}
	})
}

func (r *rendering) people(name string, all []crm.Person) {
	r.list(name, len(all), func(w *writer, i int) {
		jid, _ := personJID(all[i].ID.String(), value(all[i].Phone), value(all[i].LID))
		picture := unknownPicture
		if all[i].Image != nil || name != "contacts.update" {
			picture = r.address(value(all[i].Image))
		}
		r.contact(w, jid, all[i].Name, picture)
	}, nil)
}

// list emits an event whose data is a list, unless it has no entries: each writes the entry with an
// index, or nothing. beside, unless nil, writes what stands beside the data.
func (r *rendering) list(name string, n int, each func(w *writer, i int), beside func(w *writer)) {
	if n == 0 || !r.wants(name) {
		return
	}
	w := r.open(name)
	w.array("")
	empty := len(w.b)
	for i := range n {
		each(w, i)
	}
	if len(w.b) == empty {
		return
	}
	w.end()
	w.file, w.content = "", 0 // they are of one message
	r.emits = append(r.emits, r.closeWith(name, w, func() {
		if beside != nil {
			beside(w)
		}
	}))
}

// unseen renders the deletion of a message that never was here: a client may have it from elsewhere.
func (r *rendering) unseen(data string) {
	for _, x := range items[crm.UnseenItem](r, data) {
		if r.in.GroupsIgnore && IsGroup(x.Chat.ID) {
			continue
		}
		k := key{id: x.ID.String(), fromMe: x.FromMe}
		k.remoteJID, k.remoteAlt = personJID(x.Chat.ID, "", value(x.ChatLID))
		switch {
		case x.Post:
			k.participant, k.participantAlt = k.remoteJID, k.remoteAlt
			k.remoteJID, k.remoteAlt = statusChat, ""
		case x.By != nil:
			k.participant = JID(x.By.String())
		}
		r.emit("messages.delete", func(w *writer) { r.deleted(w, &crm.MessageDeleteItem{}, &k) })
	}
}

// tally renders how a poll stands after a vote.
func (r *rendering) tally(data string) {
	for _, x := range items[crm.TallyItem](r, data) {
		if len(x.Options) == 0 || r.in.GroupsIgnore && x.Chat.Type == "group" {
			continue
		}
		jid, _ := personJID(x.Chat.ID, value(x.Chat.Phone), value(x.Chat.LID))
		k := r.originKey(jid, x.ID.String(), &x.Origin)
		status := statusDelivered
		if x.Origin.FromMe {
			status = Status(x.Status)
		}
		r.emit("messages.update", func(w *writer) {
			r.update(w, &k, status, x.Time, nil, func() { r.votes(w, x.Options) })
		})
	}
}

// votes writes the options of a poll with those who choose them.
func (r *rendering) votes(w *writer, options []crm.TallyOption) {
	w.array("pollUpdates")
	for _, o := range options {
		w.object("")
		w.str("name", o.Name)
		w.array("voters")
		for i := range o.Voters {
			jid := r.in.jid()
			if v := &o.Voters[i]; !v.FromMe {
				jid, _ = personJID(v.ID.String(), value(v.Phone), value(v.LID))
			}
			w.str("", jid)
		}
		w.end()
		w.end()
	}
	w.end()
}

// picture renders that a person has another picture, or none.
func (r *rendering) picture(data string) {
	for _, x := range items[crm.PersonItem](r, data) {
		k := &x.Contact
		jid, _ := personJID(k.ID.String(), value(k.Phone), value(k.LID))
		r.emit("contacts.update", func(w *writer) { r.contact(w, jid, k.Name, r.address(value(k.Image))) })
	}
}

// chatGone renders that the account's owner deleted a chat on the phone.
func (r *rendering) chatGone(data string) {
	for _, x := range items[crm.ChatGoneItem](r, data) {
		jid, _ := personJID(x.Chat.ID, value(x.Chat.Phone), value(x.Chat.LID))
		if r.in.GroupsIgnore && IsGroup(jid) {
			continue
		}
		r.emit("chats.delete", func(w *writer) {
			w.array("")
			if r.shape == V1 {
				w.object("")
				w.str("id", jid)
				w.str("owner", r.in.Name)
				w.end()
			} else {
				w.str("", jid)
			}
			w.end()
		})
	}
}

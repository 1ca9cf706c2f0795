package shape

import "chatcast/crm"

// chatGroup renders what happened to a group.
func (r *rendering) chatGroup(data string) {
	if r.in.GroupsIgnore {
		return
	}
	list := items[crm.ChatGroupItem](r, data)
	for i := range list {
		switch g := &list[i]; g.Type {
		case crm.GroupJoin:
			r.emit("groups.upsert", func(w *writer) {
				w.array("")
				writeGroup(w, joinedGroup(g))
				w.end()
			})
		case crm.GroupAdd, crm.GroupRemove, crm.GroupPromote, crm.GroupDemote:
			r.members(g, g.Type)
		case crm.GroupLeave, crm.GroupDelete:
			r.members(g, crm.GroupRemove)
		case crm.GroupName, crm.GroupDescription, crm.GroupAnnounce, crm.GroupLocked, crm.GroupEphemeral, crm.GroupPicture:
			r.emit("groups.update", func(w *writer) { r.groupChange(w, g) })
		}
	}
}

// joinedGroup returns the group that the account is in now, as far as the event tells.
func joinedGroup(g *crm.ChatGroupItem) *crm.Group {
	joined := &crm.Group{ID: g.Chat.ID, CreatedAt: g.Time}
	if c := g.Group; c != nil {
		joined.Name, joined.Description, joined.Size = c.Name, c.Description, c.Size
		joined.Announce, joined.Locked, joined.Ephemeral = c.Announce, c.Locked, c.Ephemeral
		joined.Members, joined.OwnerID = c.Members, c.OwnerID
		if c.CreatedAt > 0 {
			joined.CreatedAt = c.CreatedAt
		}
	}
	return joined
}

// members renders a change of members. Of a group that is over the account itself is the
// one that is removed.
func (r *rendering) members(g *crm.ChatGroupItem, action string) {
	people := make([][2]string, 0, len(g.Members)) // JID, and that with the phone number
	for i := range g.Members {
		jid, phone := memberJID(&g.Members[i])
		people = append(people, [2]string{jid, phone})
	}
	if own := r.in.jid(); len(people) == 0 && own != "" {
		people = append(people, [2]string{own, own})
	}
	r.emit("group-participants.update", func(w *writer) {
		w.object("")
		w.str("id", JID(g.Chat.ID))
		w.optional("author", r.by(g))
		w.array("participants")
		for _, p := range people {
			w.str("", p[0])
		}
		w.end()
		w.str("action", action)
		if r.shape != V1 {
			w.array("participantsData")
			for _, p := range people {
				w.object("")
				w.str("jid", p[0])
				w.orNull("phoneNumber", p[1])
				w.end()
			}
			w.end()
		}
		w.end()
	})
}

// memberJID returns the JID of a member, and that with the phone number, or "" when that is
// not known.
func memberJID(m *crm.GroupMember) (jid, phone string) {
	jid, _ = personJID(m.ID, value(m.Phone), value(m.LID))
	if isDigits(user(jid)) && jid == user(jid)+userServer {
		phone = jid
	}
	return jid, phone
}

// by returns the JID of who did it, or "". What an employee does, the account does.
func (r *rendering) by(g *crm.ChatGroupItem) string {
	if g.Edited != nil || g.FromApp != nil {
		return r.in.jid()
	}
	jid, _ := r.author(g.By, false)
	return jid
}

func (r *rendering) groupChange(w *writer, g *crm.ChatGroupItem) {
	w.array("")
	w.object("")
	w.str("id", JID(g.Chat.ID))
	if c := g.Group; c != nil {
		switch g.Type {
		case crm.GroupName:
			w.str("subject", c.Name)
		case crm.GroupDescription:
			w.str("desc", c.Description)
		case crm.GroupAnnounce:
			w.bool("announce", c.Announce)
		case crm.GroupLocked:
			w.bool("restrict", c.Locked)
		case crm.GroupEphemeral:
			w.int("ephemeralDuration", c.Ephemeral)
		}
	}
	w.optional("author", r.by(g))
	w.end()
	w.end()
}

// writeGroup writes a group as groups.upsert has it.
func writeGroup(w *writer, g *crm.Group) {
	owner := ""
	if g.OwnerID != nil {
		owner = JID(*g.OwnerID)
	}
	w.object("")
	w.str("id", JID(g.ID))
	w.str("subject", g.Name)
	named, at := owner, g.CreatedAt
	if g.NameBy != nil {
		named = JID(*g.NameBy)
	}
	if g.NameAt > 0 {
		at = g.NameAt
	}
	w.orNull("subjectOwner", named)
	w.int("subjectTime", at)
	w.null("pictureUrl")
	w.int("size", int64(g.Size))
	w.int("creation", g.CreatedAt)
	w.orNull("owner", owner)
	w.orNull("desc", g.Description)
	w.orNull("descId", g.DescriptionID)
	w.bool("restrict", g.Locked)
	w.bool("announce", g.Announce)
	w.positive("ephemeralDuration", g.Ephemeral)
	w.array("participants")
	for i := range g.Members {
		writeMember(w, &g.Members[i])
	}
	w.end()
	w.bool("isCommunity", g.Community)
	w.bool("isCommunityAnnounce", g.Announcements)
	parent := ""
	if g.CommunityID != nil {
		parent = JID(*g.CommunityID)
	}
	w.orNull("linkedParent", parent)
	w.end()
}

func writeMember(w *writer, m *crm.GroupMember) {
	jid, _ := memberJID(m)
	w.object("")
	w.str("id", jid)
	if m.LID != nil && *m.LID != jid {
		w.str("lid", *m.LID)
	}
	w.orNull("admin", Admin(m.Role))
	w.end()
}

// Admin returns Evolution's word for a role in a group; empty: none, which is null in JSON.
func Admin(role string) string {
	switch role {
	case crm.MemberOwner:
		return "superadmin"
	case crm.MemberAdmin:
		return "admin"
	}
	return ""
}

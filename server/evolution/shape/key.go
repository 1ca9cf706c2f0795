package shape

import "chatcast/crm"

// key is the key of a message.
type key struct {
	remoteJID, remoteAlt        string
	participant, participantAlt string
	id, mode                    string
	fromMe                      bool
}

func (k *key) write(w *writer, name string) {
	w.object(name)
	w.str("remoteJid", k.remoteJID)
	w.bool("fromMe", k.fromMe)
	w.str("id", k.id)
	w.optional("participant", k.participant)
	w.optional("remoteJidAlt", k.remoteAlt)
	w.optional("participantAlt", k.participantAlt)
	w.optional("addressingMode", k.mode)
	w.end()
}

// facts are what several members of a message object tell of.
type facts struct {
	key      key
	author   string // JID
	pushName string
}

func (r *rendering) facts(m *crm.MessageItem) (f facts) {
	f.key.remoteJID, f.key.remoteAlt = personJID(m.Chat.ID, value(m.Chat.Phone), value(m.Chat.LID))
	f.key.id, f.key.fromMe, f.key.mode = m.ID.String(), m.FromMe, m.Message.Addressing
	author, alt := r.author(&m.FromUser, m.FromMe)
	shared := m.Chat.Type == "group"
	if isStatus(m) {
		if m.Chat.Type == "private" && !m.FromMe { // the chat of a post is that of its author
			author, alt = f.key.remoteJID, f.key.remoteAlt
		}
		f.key.remoteJID, f.key.remoteAlt, shared = statusChat, "", true
	}
	if shared && !(m.FromMe && m.FromAPI) {
		f.key.participant, f.key.participantAlt = author, alt
	}
	if f.author = author; author == "" {
		f.author = f.key.remoteJID
	}
	f.pushName = r.pushName(m, f.author)
	return f
}

// author returns the JIDs of who wrote a message. One of ours is the account's.
func (r *rendering) author(a *crm.Author, fromMe bool) (jid, alt string) {
	if fromMe {
		return r.in.jid(), ""
	}
	if a == nil {
		return "", ""
	}
	return personJID(a.ID.String(), value(a.Phone), value(a.LID))
}

// ownName is what Evolution calls the account when its name is not known.
const ownName = "Você"

func (r *rendering) pushName(m *crm.MessageItem, author string) string {
	switch {
	case m.FromMe && r.in.ProfileName != "":
		return r.in.ProfileName
	case m.FromMe && !m.FromAPI && m.FromUser.Name != "":
		return m.FromUser.Name
	case m.FromMe:
		return ownName
	case m.FromUser.Name != "":
		return m.FromUser.Name
	}
	return user(author)
}

func isStatus(m *crm.MessageItem) bool { return m.Subtype != nil && *m.Subtype == crm.SubtypeStatus }

// value returns what p points to, or "".
func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

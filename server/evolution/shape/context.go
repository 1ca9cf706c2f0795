package shape

import (
	"encoding/json"

	"chatcast/crm"
)

// contextInfo is what a message says beside its content: what it answers, whom it mentions,
// where it came from.
type contextInfo struct {
	stanzaID    string
	participant string   // who wrote what it answers
	quoted      *content // nil: not known
	mentions    []crm.Mention
	forwarded   bool
	expiration  int64 // seconds
	origin      map[string]json.RawMessage
}

// context returns the context of a message, or nil when there is none.
func (r *rendering) context(m *crm.MessageItem, f *facts) *contextInfo {
	x := contextInfo{mentions: m.Message.Mentions, forwarded: m.IsForwarded, expiration: m.Message.Expiration}
	if q := m.QuotedMessage; q != nil {
		r.quote(&x, q, f)
	}
	if len(m.UTM) > 0 {
		_ = json.Unmarshal(m.UTM, &x.origin) // what is no object has no origin
	}
	if x.stanzaID == "" && len(x.mentions) == 0 && !x.forwarded && x.expiration == 0 && len(x.origin) == 0 {
		return nil
	}
	return &x
}

func (r *rendering) quote(x *contextInfo, q *crm.QuotedMessage, f *facts) {
	x.stanzaID = q.ID.String()
	ours := q.FromMe != nil && *q.FromMe
	x.participant, _ = r.author(q.FromUser, ours)
	if x.participant == "" && !ours && q.FromMe != nil && f.key.participant == "" {
		x.participant = f.key.remoteJID // in a private chat it is the other side
	}
	if q.Message != nil {
		c := r.content(value(q.Type), "", q.Message, f.key.remoteJID, nil)
		x.quoted = &c
	}
}

func (x *contextInfo) write(w *writer) {
	w.object("contextInfo")
	w.optional("stanzaId", x.stanzaID)
	w.optional("participant", x.participant)
	if x.quoted != nil {
		w.object("quotedMessage")
		x.quoted.write(w)
		w.end()
	}
	if len(x.mentions) > 0 {
		w.array("mentionedJid")
		for _, m := range x.mentions {
			jid, _ := personJID(m.ID.String(), value(m.Phone), value(m.LID))
			w.str("", jid)
		}
		w.end()
	}
	if x.forwarded {
		w.int("forwardingScore", 1)
		w.bool("isForwarded", true)
	}
	w.positive("expiration", x.expiration)
	x.writeOrigin(w)
	w.end()
}

// adMembers are the members of externalAdReply, and what the CRM calls them in utm.
var adMembers = [][2]string{
	{"title", "title"}, {"body", "body"}, {"mediaType", "mediaType"}, {"thumbnailUrl", "thumbnailUrl"}, {"mediaUrl", "mediaUrl"},
	{"sourceType", "sourceType"}, {"sourceId", "sourceId"}, {"sourceUrl", "sourceUrl"}, {"sourceApp", "sourceApp"}, {"ctwaClid", "clickId"}, {"ref", "ref"},
}

// contextMembers are further members that tell where a customer came from.
var contextMembers = [][2]string{
	{"conversionSource", "conversionSource"}, {"entryPointConversionSource", "entryPoint"}, {"entryPointConversionApp", "entryPointApp"},
	{"entryPointConversionExternalSource", "entryPointSource"}, {"entryPointConversionExternalMedium", "entryPointMedium"}, {"ctwaSignals", "clickSignals"},
}

// writeOrigin writes the advertisement or the link that led the customer here.
func (x *contextInfo) writeOrigin(w *writer) {
	if len(x.origin) == 0 {
		return
	}
	x.group(w, "externalAdReply", adMembers)
	for _, m := range contextMembers {
		w.optional(m[0], x.text(m[1]))
	}
	x.group(w, "utm", [][2]string{{"utmSource", "source"}, {"utmCampaign", "campaign"}})
}

// group writes an object of those members that are known, if any is.
func (x *contextInfo) group(w *writer, name string, members [][2]string) {
	open := false
	for _, m := range members {
		text := x.text(m[1])
		if text == "" {
			continue
		}
		if !open {
			w.object(name)
			open = true
		}
		w.str(m[0], text)
	}
	if open {
		w.end()
	}
}

// text returns a member of the origin that is a string, or "".
func (x *contextInfo) text(name string) (s string) {
	if raw := x.origin[name]; len(raw) > 0 && raw[0] == '"' {
		_ = json.Unmarshal(raw, &s) // it was part of valid JSON
	}
	return s
}

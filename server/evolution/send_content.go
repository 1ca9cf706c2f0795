package evolution

import (
	"strings"
	"unicode/utf8"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func contentRoutes() []route {
	send := func(path string, do func(q *request) (answer, error), lifts []lift, own ...field) route {
		return route{methods: "POST", path: path, within: sendTime, body: sendBody(own...), lifts: sendLifts(lifts...), do: do}
	}
	card := obj("", str("fullName").must().some(), str("phoneNumber").must().some(), str("wuid"), str("organization"), str("email"), str("url"))
	return []route{
		send("/message/sendLocation/:instance", sendLocation, same("locationMessage", "latitude", "longitude", "name", "address"),
			num("latitude").must().between(-90, 90), num("longitude").must().between(-180, 180), str("name"), str("address")),
		send("/message/sendContact/:instance", sendContact, []lift{{"contactMessage", "contact"}}, list("contact", card).must().some()),
		send("/message/sendPoll/:instance", sendPoll, same("pollMessage", "name", "selectableCount", "values"),
			str("name").must().some(), integer("selectableCount").must().between(0, 10), list("values", str("").some()).must().size(2, 10).distinct()),
		{methods: "POST", path: "/message/sendReaction/:instance", lifts: same("reactionMessage", "key", "reaction"), body: schema{
			obj("key", str("id").must().some(), str("remoteJid").must().some(), flag("fromMe").must(), str("participant")).must(), str("reaction").must(),
		}, do: sendReaction},
	}
}

func sendLocation(q *request) (answer, error) {
	b := q.body
	m, err := q.toNumber(crm.MessageLocation, crm.Content{Location: &crm.Location{
		Latitude: decimal(b, "latitude"), Longitude: decimal(b, "longitude"), Name: text(b, "name"), Address: text(b, "address"),
	}})
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}

func sendContact(q *request) (answer, error) {
	var cards []crm.ContactCard
	for _, o := range objects(q.body, "contact") {
		phone := text(o, "phoneNumber")
		cards = append(cards, crm.ContactCard{Name: text(o, "fullName"), Phone: phone, VCard: vcard(o)})
	}
	content := crm.Content{Contact: &cards[0]}
	if len(cards) > 1 {
		content.Contacts = cards
	}
	m, err := q.toNumber(crm.MessageContact, content)
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}

// vcard returns the card of a contact as Evolution writes it.
func vcard(o object) string {
	escaped := func(name string) string { return shape.CardText(text(o, name)) }
	waid := onlyDigits(strings.Split(text(o, "wuid"), "@")[0], false)
	if waid == "" {
		waid = onlyDigits(text(o, "phoneNumber"), false)
	}
	lines := []string{"BEGIN:VCARD", "VERSION:3.0", "N:" + escaped("fullName"), "FN:" + escaped("fullName")}
	for _, f := range []struct{ name, is string }{{"organization", "ORG"}, {"email", "EMAIL"}, {"url", "URL"}} {
		if value := escaped(f.name); value != "" {
			lines = append(lines, f.is+":"+value)
		}
	}
	lines = append(lines, "item1.TEL;waid="+waid+":"+escaped("phoneNumber"), "item1.X-ABLabel:Celular", "END:VCARD")
	return strings.Join(lines, "\n")
}

func sendPoll(q *request) (answer, error) {
	poll := &crm.Poll{Question: text(q.body, "name"), Options: texts(q.body, "values"), Most: whole(q.body, "selectableCount")}
	if poll.Multiple = poll.Most != 1; !poll.Multiple || poll.Most > int64(len(poll.Options)) {
		poll.Most = 0
	}
	m, err := q.toNumber(crm.MessagePoll, crm.Content{Poll: poll})
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}

func sendReaction(q *request) (answer, error) {
	emoji, key := text(q.body, "reaction"), inner(q.body, "key")
	if emoji != "" && !isEmoji(emoji) {
		return answer{}, bad("Reaction must be a single emoji or empty string")
	}
	jid, forms, ok := jidOf(text(key, "remoteJid"))
	if !ok {
		return answer{}, errNumber()
	}
	if len(forms) > 0 {
		jid = onlyDigits(text(key, "remoteJid"), false) + "@s.whatsapp.net"
	}
	id := crm.MakeID(q.line().Messenger, text(key, "id"))
	out, err := q.send(outgoing{to: address{jid: jid, chat: shape.ID(jid)}, message: crm.Outgoing{
		Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: id, Emoji: emoji}},
	}})
	if blames(err, "messageId") {
		return answer{}, bad("Message not found")
	}
	return out, err
}

// isEmoji reports whether a text is one emoji: a picture with its variants, pictures that are
// joined, a flag, or a key.
func isEmoji(s string) bool {
	first, size := utf8.DecodeRuneInString(s)
	rest := s[size:]
	switch {
	case first >= '0' && first <= '9' || first == '#' || first == '*':
		return strings.TrimPrefix(rest, "\ufe0f") == "\u20e3"
	case isRegional(first):
		second, n := utf8.DecodeRuneInString(rest)
		return isRegional(second) && n == len(rest)
	case !isPicture(first):
		return false
	}
	for rest != "" {
		r, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		switch {
		case r == '\ufe0f', r == '\u20e3', r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f: // a variant, a skin, a part of a flag
		case r == '\u200d': // joins the next picture
			next, n := utf8.DecodeRuneInString(rest)
			if !isPicture(next) {
				return false
			}
			rest = rest[n:]
		default:
			return false
		}
	}
	return true
}

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// isPicture reports whether a character is in the ranges that hold emoji.
func isPicture(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff && !isRegional(r) || r >= 0x2190 && r <= 0x2bff || r == 0x3030 || r == 0x303d || r == 0x3297 || r == 0x3299 ||
		r == 0xa9 || r == 0xae || r == 0x203c || r == 0x2049 || r == 0x2122 || r == 0x2139
}

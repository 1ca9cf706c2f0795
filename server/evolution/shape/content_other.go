package shape

import (
	"strconv"
	"strings"

	"chatcast/crm"
)

func (c *content) place(w *writer) *crm.Location {
	l := c.m.Location
	if l == nil {
		l = &crm.Location{}
	}
	w.float("degreesLatitude", l.Latitude)
	w.float("degreesLongitude", l.Longitude)
	return l
}

func (c *content) location(w *writer) {
	l := c.place(w)
	w.optional("name", l.Name)
	w.optional("address", l.Address)
	w.optional("comment", c.m.Caption)
}

func (c *content) liveLocation(w *writer) {
	l := c.place(w)
	w.positive("accuracyInMeters", l.Accuracy)
	if l.Speed > 0 {
		w.float("speedInMps", l.Speed)
	}
	w.optional("caption", c.m.Caption)
	if l.Sequence > 0 {
		w.long("sequenceNumber", l.Sequence)
	}
}

func (c *content) contact(w *writer) {
	if c.m.Contact != nil {
		writeCard(w, c.m.Contact)
	}
}

func (c *content) contacts(w *writer) {
	w.str("displayName", strconv.Itoa(len(c.m.Contacts))+" contacts")
	w.array("contacts")
	for i := range c.m.Contacts {
		w.object("")
		writeCard(w, &c.m.Contacts[i])
		w.end()
	}
	w.end()
}

func writeCard(w *writer, k *crm.ContactCard) {
	w.str("displayName", k.Name)
	w.str("vcard", VCard(k))
}

// VCard returns the vCard of a contact: the one that its sender wrote if it is known, and
// otherwise one with its name and numbers.
func VCard(k *crm.ContactCard) string {
	if k.VCard != "" {
		return k.VCard
	}
	phones := k.Phones
	if len(phones) == 0 {
		phones = []string{k.Phone}
	}
	name := CardText(k.Name)
	var b strings.Builder
	b.WriteString("BEGIN:VCARD\nVERSION:3.0\nN:" + name + "\nFN:" + name + "\n")
	for i, phone := range phones {
		item := "item" + strconv.Itoa(i+1)
		b.WriteString(item + ".TEL;waid=" + digits(phone) + ":" + CardText(phone) + "\n" + item + ".X-ABLabel:Celular\n")
	}
	b.WriteString("END:VCARD")
	return b.String()
}

// CardText returns a text as it is in a line of a vCard.
func CardText(text string) string { return vcardText.Replace(text) }

// vcardText keeps a text in its line.
var vcardText = strings.NewReplacer("\r", "", "\n", `\n`, ";", `\;`, ",", `\,`, `\`, `\\`)

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func (c *content) poll(w *writer) {
	p := c.m.Poll
	w.str("name", p.Question)
	w.array("options")
	for _, o := range p.Options {
		w.object("")
		w.str("optionName", o)
		w.end()
	}
	w.end()
	most := int64(1)
	if p.Multiple {
		most = p.Most // 0: any number
	}
	w.int("selectableOptionsCount", most)
}

func (c *content) vote(w *writer) {
	v := c.m.Vote
	if v == nil { // it could not be opened, or is deleted
		return
	}
	c.target(w, "pollCreationMessageKey", v.MessageID.String(), v.Origin)
	w.object("vote")
	w.array("selectedOptions")
	for _, o := range v.Options {
		w.str("", o)
	}
	w.end()
	w.end()
	c.sentAt(w)
}

func (c *content) reaction(w *writer) {
	x := c.m.Reaction
	if x == nil {
		return
	}
	c.target(w, "key", x.MessageID.String(), x.Origin)
	w.str("text", x.Emoji)
	c.sentAt(w)
}

// sentAt writes the time of the message in milliseconds.
func (c *content) sentAt(w *writer) {
	if c.time > 0 {
		w.long("senderTimestampMs", c.time*1000)
	}
}

// target writes the key of the message that this one is about. Of one that is not here only
// the id is known.
func (c *content) target(w *writer, name, id string, of *crm.MessageOrigin) {
	k := key{remoteJID: c.chat, id: id}
	if of != nil {
		k = c.r.originKey(c.chat, id, of)
	}
	k.write(w, name)
}

// originKey returns the key of a message in a chat.
func (r *rendering) originKey(chat, id string, of *crm.MessageOrigin) key {
	k := key{remoteJID: chat, id: id, fromMe: of.FromMe}
	if IsGroup(chat) && !of.FromMe {
		k.participant, k.participantAlt = r.author(&of.FromUser, false)
	}
	return k
}

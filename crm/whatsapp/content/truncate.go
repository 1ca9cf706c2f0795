package content

import (
	"strings"

	"chatcast/crm"
)

// MaxName and the others are limits of crm, in characters, and for maxPoll in options.
// Longer values are cut rather than refused: WhatsApp would deliver a refused message
// again forever.
const (
	MaxName   = 255 // of names of people, chats, files and places
	maxPhone  = 64
	maxEmoji  = 16
	maxOption = 100
	maxPoll   = 12
)

// fit changes the content so that crm accepts it.
func (s *Content) fit() {
	c := &s.Content
	s.Subtype = Clip(s.Subtype, 64)
	c.Text, c.Caption = Clip(c.Text, crm.MaxText), Clip(c.Caption, crm.MaxCaption)
	if m := s.Media; m != nil {
		m.Name, m.Mime = Clip(m.Name, MaxName), Clip(m.Mime, MaxName)
	}
	if l := c.Location; l != nil {
		l.Name, l.Address = Clip(l.Name, MaxName), Clip(l.Address, MaxName)
	}
	if c.Contact != nil {
		*c.Contact = fitCard(*c.Contact)
	}
	for i := range c.Contacts {
		c.Contacts[i] = fitCard(c.Contacts[i])
	}
	if r := c.Reaction; r != nil {
		r.Emoji = strings.Map(func(c rune) rune {
			if c < ' ' {
				return -1
			}
			return c
		}, Clip(r.Emoji, maxEmoji))
	}
	if v := c.Vote; v != nil {
		for i := range v.Options {
			v.Options[i] = Clip(v.Options[i], maxOption)
		}
		v.Options = v.Options[:min(len(v.Options), maxPoll)]
	}
	s.fitPoll()
	if s.Type == crm.MessageText && strings.TrimSpace(c.Text) == "" {
		if s.Subtype == "" {
			s.Subtype = "blank"
		}
		s.Type = TypeUnknown
	}
}

// fitPoll drops a poll's blank, duplicate and surplus options; if more may be chosen than are left,
// any number may be. A poll without a question or
// with fewer than two options becomes unknown content with the poll's text.
func (s *Content) fitPoll() {
	p := s.Content.Poll
	if p == nil {
		return
	}
	seen, options := map[string]bool{}, []string{}
	for _, o := range p.Options {
		if o = Clip(o, maxOption); strings.TrimSpace(o) != "" && !seen[o] && len(options) < maxPoll {
			seen[o], options = true, append(options, o)
		}
	}
	p.Question, p.Options = Clip(p.Question, MaxName), options
	if p.Most > int64(len(options)) {
		p.Most = 0
	}
	if strings.TrimSpace(p.Question) == "" || len(options) < 2 {
		s.Type, s.Subtype = TypeUnknown, "poll"
		s.Content.Text = Clip(JoinNonBlank(append([]string{p.Question}, options...)), crm.MaxText)
		s.Content.Poll = nil
	}
}

// fitCard returns a card that crm accepts, which needs a name and a number.
func fitCard(k crm.ContactCard) crm.ContactCard {
	k.Name, k.Phone = Clip(k.Name, MaxName), Clip(k.Phone, maxPhone)
	for i := range k.Phones {
		k.Phones[i] = Clip(k.Phones[i], maxPhone)
	}
	if strings.TrimSpace(k.Phone) == "" {
		k.Phone = "-"
	}
	if strings.TrimSpace(k.Name) == "" {
		k.Name = k.Phone
	}
	return k
}

// Clip returns text as valid UTF-8 of at most n characters. It cuts between characters
// and removes U+0000, which PostgreSQL cannot store.
func Clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	if len(text) <= n {
		return text
	}
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

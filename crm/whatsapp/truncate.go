package whatsapp

import (
	"strings"

	"chatcast/crm"
)

// Lengths that crm accepts, in characters. What is longer is cut rather than
// refused: WhatsApp would deliver it again for ever.
const (
	maxName   = 255
	maxPhone  = 64
	maxEmoji  = 16
	maxOption = 100
	maxPoll   = 12
)

// fit makes a content one that crm accepts.
func (s *content) fit() {
	c := &s.Content
	s.Subtype = clip(s.Subtype, 64)
	c.Text, c.Caption = clip(c.Text, crm.MaxText), clip(c.Caption, crm.MaxCaption)
	if m := s.Media; m != nil {
		m.Name, m.Mime = clip(m.Name, maxName), clip(m.Mime, maxName)
	}
	if l := c.Location; l != nil {
		l.Name, l.Address = clip(l.Name, maxName), clip(l.Address, maxName)
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
		}, clip(r.Emoji, maxEmoji))
	}
	if v := c.Vote; v != nil {
		for i := range v.Options {
			v.Options[i] = clip(v.Options[i], maxOption)
		}
		v.Options = v.Options[:min(len(v.Options), maxPoll)]
	}
	s.fitPoll()
	if s.Type == crm.MessageText && strings.TrimSpace(c.Text) == "" {
		if s.Subtype == "" {
			s.Subtype = "blank"
		}
		s.Type = typeUnknown
	}
}

// fitPoll keeps a poll's options as far as they can be told apart.
func (s *content) fitPoll() {
	p := s.Content.Poll
	if p == nil {
		return
	}
	seen, options := map[string]bool{}, []string{}
	for _, o := range p.Options {
		if o = clip(o, maxOption); strings.TrimSpace(o) != "" && !seen[o] && len(options) < maxPoll {
			seen[o], options = true, append(options, o)
		}
	}
	p.Question, p.Options = clip(p.Question, maxName), options
	if strings.TrimSpace(p.Question) == "" || len(options) < 2 {
		s.Type, s.Subtype = typeUnknown, "poll"
		s.Content.Text = clip(joined(append([]string{p.Question}, options...)), crm.MaxText)
		s.Content.Poll = nil
	}
}

// fitCard makes a card one that crm accepts: it needs a name and a number.
func fitCard(k crm.ContactCard) crm.ContactCard {
	k.Name, k.Phone = clip(k.Name, maxName), clip(k.Phone, maxPhone)
	if strings.TrimSpace(k.Phone) == "" {
		k.Phone = "-"
	}
	if strings.TrimSpace(k.Name) == "" {
		k.Name = k.Phone
	}
	return k
}

// clip makes a text valid and at most n characters long. It cuts between
// characters and takes out U+0000, which PostgreSQL cannot keep.
func clip(text string, n int) string {
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

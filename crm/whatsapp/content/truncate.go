package content

import (
	"strings"

	"chatcast/crm"
)

// MaxName and the others are the lengths that crm accepts, in characters. What is
// longer is cut rather than refused: WhatsApp would deliver it again for ever.
const (
	MaxName   = 255 // of names of people, chats, files and places
	maxPhone  = 64
	maxEmoji  = 16
	maxOption = 100
	maxPoll   = 12
)

// fit makes a content one that crm accepts.
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

// fitPoll keeps a poll's options as far as they can be told apart.
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
	if strings.TrimSpace(p.Question) == "" || len(options) < 2 {
		s.Type, s.Subtype = TypeUnknown, "poll"
		s.Content.Text = Clip(JoinNonBlank(append([]string{p.Question}, options...)), crm.MaxText)
		s.Content.Poll = nil
	}
}

// fitCard makes a card one that crm accepts: it needs a name and a number.
func fitCard(k crm.ContactCard) crm.ContactCard {
	k.Name, k.Phone = Clip(k.Name, MaxName), Clip(k.Phone, maxPhone)
	if strings.TrimSpace(k.Phone) == "" {
		k.Phone = "-"
	}
	if strings.TrimSpace(k.Name) == "" {
		k.Name = k.Phone
	}
	return k
}

// Clip makes a text valid and at most n characters long. It cuts between
// characters and takes out U+0000, which PostgreSQL cannot keep.
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

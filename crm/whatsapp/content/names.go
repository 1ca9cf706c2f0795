package content

import (
	"strings"
	"unicode"
)

// Username returns a person's name at WhatsApp without the characters that make one name
// look like another: those that change the direction of writing, and invisible ones. It
// returns nil when nothing is left. Letters that only look like others stay: the names are
// of different people.
func Username(name string) *string {
	name = Clip(strings.TrimPrefix(strings.Map(func(r rune) rune {
		if invisible(r) || unicode.IsControl(r) || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")), "@"), MaxName)
	if name == "" {
		return nil
	}
	return &name
}

// Name returns the first of the names of a person or a chat that shows anything, in one
// line and without the characters that turn the direction of what is written behind it.
// Invisible characters between others stay: some scripts and emoji need them.
func Name(names ...string) string {
	for _, name := range names {
		name = strings.TrimSpace(Clip(strings.TrimSpace(strings.Map(func(r rune) rune {
			switch {
			case r == '\n' || r == '\r' || r == '\t':
				return ' '
			case unicode.IsControl(r) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069':
				return -1
			}
			return r
		}, strings.ToValidUTF8(name, "\uFFFD"))), MaxName))
		if strings.ContainsFunc(name, func(r rune) bool { return !invisible(r) && !unicode.IsSpace(r) }) {
			return name
		}
	}
	return ""
}

// invisible reports whether a character shows nothing by itself, and is not a space.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == '\u2800' // a blank of Braille
}

package models

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the form of a text that searches compare: without case, accents, marks
// that are not pronounced apart, invisible characters and repeated spaces. "Tomás" and
// "TOMAS" become "tomas". Letters that only look like others with a mark stay what they
// are: й is not и. Fold is done here and not by the database, so that SQLite and every
// PostgreSQL find the same.
func Fold(s string) string {
	if isASCII(s) {
		return strings.Join(strings.Fields(strings.ToLower(s)), " ")
	}
	s = withoutMarks(norm.NFKD.String(s))
	s = norm.NFC.String(cases.Fold().String(s))
	return strings.Join(strings.Fields(s), " ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// withoutMarks removes marks and invisible characters from a decomposed text, and
// replaces letters with a stroke, which do not decompose.
func withoutMarks(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	var base rune // that a mark belongs to
	for _, r := range s {
		switch {
		case r < 0x80:
			base = r
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector):
			continue
		case unicode.Is(unicode.Mn, r):
			if ignored(base, r) {
				continue
			}
		default:
			base = r
			if plain, ok := plainLetters[r]; ok {
				b.WriteString(plain)
				continue
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

const (
	graveMark = '\u0300'
	acuteMark = '\u0301'
	dotsMark  = '\u0308'
)

// ignored reports whether people leave the mark on this base out when they search. In
// scripts that are not named here marks are vowels, tones or parts of letters.
func ignored(base, mark rune) bool {
	switch {
	case unicode.In(base, unicode.Latin, unicode.Greek, unicode.Arabic, unicode.Hebrew):
		return true
	case !unicode.Is(unicode.Cyrillic, base):
		return !unicode.IsLetter(base)
	case mark == dotsMark:
		return base == 'е' || base == 'Е' // ё is written е; ї and ӧ are letters of their own
	case mark == acuteMark || mark == graveMark: // the stress, except in ѓ and ќ
		return !strings.ContainsRune("гГкК", base)
	}
	return false
}

// plainLetters replaces letters that have no decomposition, as people without their
// keyboard write them. The Arabic tatweel only stretches a word.
var plainLetters = map[rune]string{
	'ø': "o", 'Ø': "O", 'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D", 'ł': "l", 'Ł': "L", 'ħ': "h", 'Ħ': "H",
	'ŧ': "t", 'Ŧ': "T", 'ı': "i", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'þ': "th", 'Þ': "TH",
	'ـ': "",
}

// foldedNames returns the text in which chats and contacts are searched: also by the
// messenger's name, when an employee gave them another, and by the id that somebody typed.
func foldedNames(name string, messenger, phone, username, typed *string, id string) string {
	fields := []string{Fold(name)}
	for _, s := range []*string{messenger, phone, username, &id, typed} {
		if s != nil && *s != "" {
			fields = append(fields, Fold(*s))
		}
	}
	return strings.Join(fields, "\n")
}

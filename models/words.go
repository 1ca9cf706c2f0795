package models

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWord is how many characters of a word are indexed: no language has longer ones, and
// PostgreSQL limits them.
const maxWord = 64

// Word is one condition of a search in messages.
type Word struct {
	Text   string // folded: ASCII letters and digits, and any characters beyond ASCII
	Prefix bool   // words that begin with Text match too
}

// SearchWords returns the words of a search. All of them must occur in a message. A word
// of one letter must occur as it is: too many words begin with it. A text without letters,
// digits and emoji has no words.
func SearchWords(search string) []Word {
	var words []Word
	eachRun(Fold(search), func(k kind, run string) {
		chars := utf8.RuneCountInString(run)
		switch {
		case k == unspaced && chars > 1:
			for _, pair := range pairs(run)[:chars-1] {
				words = append(words, Word{Text: pair})
			}
		default:
			words = append(words, Word{Text: run, Prefix: k == unspaced || k == spaced && chars > 1})
		}
	})
	slices.SortFunc(words, func(a, b Word) int { return strings.Compare(a.Text, b.Text) })
	return slices.Compact(words)
}

// ofLicense returns the beginning of each word that is indexed of a licence's messages, so
// that the index has the words of a licence side by side. The dot is in no word.
func ofLicense(id int64) string { return strconv.FormatInt(id, 36) + "·" }

// indexWords returns the words under which a text of a licence is found, separated by
// spaces, each once.
func indexWords(licenseID int64, text string) string {
	var words []string
	eachRun(Fold(text), func(k kind, run string) {
		if k == unspaced {
			words = append(words, pairs(run)...)
		} else {
			words = append(words, run)
		}
	})
	if len(words) == 0 {
		return ""
	}
	slices.Sort(words)
	begin := ofLicense(licenseID)
	return begin + strings.Join(slices.Compact(words), " "+begin)
}

// kind says how a character takes part in words.
type kind int

const (
	gap      kind = iota // between words
	spaced               // of a script that separates words
	unspaced             // of a script that does not, such as Chinese or Thai
	sign                 // an emoji: a word of its own
)

func kindOf(r rune, before kind) kind {
	switch {
	case r < utf8.RuneSelf:
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return spaced
		}
		return gap
	case unicode.Is(unicode.M, r) && (before == spaced || before == unspaced):
		return before
	case !unicode.In(r, unicode.L, unicode.M, unicode.N):
		if unicode.Is(unicode.So, r) {
			return sign
		}
		return gap
	case r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan):
		return unspaced
	}
	return spaced
}

// eachRun calls f with every run of characters of one kind: a word, a phrase of a script
// without spaces, or an emoji.
func eachRun(folded string, f func(k kind, run string)) {
	start, is := 0, gap
	end := func(at int) {
		if is != gap && at > start {
			f(is, clip(folded[start:at], is))
		}
		start = at
	}
	for i, r := range folded {
		if k := kindOf(r, is); k != is || k == sign {
			end(i)
			is = k
		}
	}
	end(len(folded))
}

// clip cuts a word to its first maxWord characters.
func clip(run string, k kind) string {
	if k != spaced || len(run) <= maxWord {
		return run
	}
	n := 0
	for i := range run {
		if n++; n > maxWord {
			return run[:i]
		}
	}
	return run
}

// pairs returns every two neighbouring characters of a run, and its last one alone: a
// search for one character finds the pairs that begin with it.
func pairs(run string) []string {
	chars := []rune(run)
	all := make([]string, 0, len(chars))
	for i := range chars {
		all = append(all, string(chars[i:min(i+2, len(chars))]))
	}
	return all
}

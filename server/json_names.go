package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// AllObjects is the depth for RepeatedName to look at every object of a text.
const AllObjects = 1 << 30

// RepeatedName returns the path of a name that stands twice in one object of a JSON text,
// such as "messages[3].chat.id", or "" when there is none. encoding/json takes the last of
// the two values without an error, and a proxy that checks requests may take the first.
// Like encoding/json, RepeatedName compares names without case. It looks at objects up to
// the depth: 1 is the outermost object alone. The text must be valid JSON.
func RepeatedName(text []byte, depth int) string {
	_, twice := nameScanner(text).value(0, depth)
	return twice
}

// nameScanner walks over a valid JSON text.
type nameScanner []byte

// value reads the value at or after an index and returns the index behind it. depth is
// how many further levels of objects are compared.
func (s nameScanner) value(at, depth int) (end int, twice string) {
	switch at = s.token(at); s[at] {
	case '{':
		return s.object(at+1, depth)
	case '[':
		return s.array(at+1, depth)
	case '"':
		return s.text(at), ""
	}
	for at < len(s) && strings.IndexByte(",]} \t\r\n", s[at]) < 0 {
		at++
	}
	return at, ""
}

func (s nameScanner) array(at, depth int) (end int, twice string) {
	for i := 0; ; i++ {
		if at = s.token(at); s[at] == ']' {
			return at + 1, ""
		}
		if at, twice = s.value(at, depth); twice != "" {
			return at, "[" + strconv.Itoa(i) + "]" + joinName(twice)
		}
	}
}

func (s nameScanner) object(at, depth int) (end int, twice string) {
	var seen nameSet
	for {
		if at = s.token(at); s[at] == '}' {
			return at + 1, ""
		}
		end := s.text(at)
		name := s[at:end]
		if depth > 0 {
			if first := seen.add(name); first != nil {
				return end, unquoted(first)
			}
		}
		if at, twice = s.value(end, depth-1); twice != "" {
			return at, unquoted(name) + joinName(twice)
		}
	}
}

// token returns the index of the next character that is no blank and separates no values.
func (s nameScanner) token(at int) int {
	for strings.IndexByte(" \t\r\n,:", s[at]) >= 0 {
		at++
	}
	return at
}

// text returns the index behind the string that begins at an index.
func (s nameScanner) text(at int) (end int) {
	for at++; s[at] != '"'; at++ {
		if s[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// joinName returns the rest of a path behind a name or an index.
func joinName(rest string) string {
	if strings.HasPrefix(rest, "[") {
		return rest
	}
	return "." + rest
}

// unquoted returns a name in plain text; the empty name keeps its quotes.
func unquoted(name []byte) (plain string) {
	_ = json.Unmarshal(name, &plain) // known to be valid
	return cmp.Or(plain, `""`)
}

// nameSet holds the names of one object, with their quotes. Most objects have few names,
// which are compared one by one, without an allocation.
type nameSet struct {
	few  [16][]byte
	n    int
	many map[string][]byte // by folded name; nil: all are in few
}

// add adds a name. It returns the name that was added before, nil when this is the first.
func (s *nameSet) add(name []byte) (first []byte) {
	if s.many == nil && s.n < len(s.few) {
		for _, other := range s.few[:s.n] {
			if sameName(other, name) {
				return other
			}
		}
		s.few[s.n] = name
		s.n++
		return nil
	}
	if s.many == nil {
		s.many = map[string][]byte{}
		for _, other := range s.few {
			s.many[folded(other)] = other
		}
	}
	key := folded(name)
	if first = s.many[key]; first == nil {
		s.many[key] = name
	}
	return first
}

func sameName(a, b []byte) bool {
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return bytes.EqualFold(a, b)
	}
	return strings.EqualFold(unquoted(a), unquoted(b))
}

// folded returns what is equal for names that sameName takes for equal.
func folded(name []byte) string {
	return strings.Map(func(r rune) rune {
		lowest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			lowest = min(lowest, next)
		}
		return lowest
	}, unquoted(name))
}

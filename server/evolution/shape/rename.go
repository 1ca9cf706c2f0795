package shape

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
)

// memberName returns the name that Evolution has for a member of WhatsApp's messages: in a
// run of capitals only the first begins a word, so URL becomes url and stanzaID stanzaId.
// The last capital of a run begins the next word if a small letter follows: a run is a word
// of its own then.
func memberName(name string) string {
	runes := []rune(name)
	var out strings.Builder
	for i := 0; i < len(runes); {
		if !unicode.IsUpper(runes[i]) {
			out.WriteRune(runes[i])
			i++
			continue
		}
		end := i
		for end < len(runes) && unicode.IsUpper(runes[end]) {
			end++
		}
		word := string(runes[i:end])
		plural := end < len(runes) && runes[end] == 's' && (end+1 == len(runes) || unicode.IsUpper(runes[end+1]))
		if n := end - i; n > 1 && end < len(runes) && unicode.IsLower(runes[end]) && !plural {
			word = string(runes[i : end-1]) // the last one begins the next word
			out.WriteString(asWord(word, i == 0))
			out.WriteRune(runes[end-1])
			i = end
			continue
		}
		out.WriteString(asWord(word, i == 0))
		i = end
	}
	return out.String()
}

// asWord writes a run of capitals as a word.
func asWord(run string, first bool) string {
	if first {
		return strings.ToLower(run)
	}
	return run[:1] + strings.ToLower(run[1:])
}

// renameMembers returns JSON in which every member has Evolution's name, and false for
// what is no JSON. It keeps the order of the members and the text of numbers.
func renameMembers(raw json.RawMessage) (json.RawMessage, bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	w := &writer{b: make([]byte, 0, len(raw))}
	if !renameValue(dec, w, "", 0) || dec.More() {
		return nil, false
	}
	return w.b, true
}

// maxDepth is how deep members may be within each other. WhatsApp's messages are not as deep.
const maxDepth = 64

// renameValue copies one value, with this name if it is a member.
func renameValue(dec *json.Decoder, w *writer, name string, depth int) bool {
	token, err := dec.Token()
	if err != nil || depth > maxDepth {
		return false
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			w.array(name)
		} else {
			w.object(name)
		}
		for dec.More() {
			member := ""
			if v == '{' {
				token, err := dec.Token()
				text, ok := token.(string)
				if err != nil || !ok || text == "" {
					return false
				}
				member = memberName(text)
			}
			if !renameValue(dec, w, member, depth+1) {
				return false
			}
		}
		if _, err := dec.Token(); err != nil {
			return false
		}
		w.end()
	case string:
		w.str(name, v)
	case json.Number:
		w.next(name)
		w.b = append(w.b, v...)
	case bool:
		w.bool(name, v)
	default:
		w.null(name)
	}
	return true
}

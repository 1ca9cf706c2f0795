package multiwa

import (
	"bytes"
	"encoding/json"
)

// encode returns v as JSON.stringify of JavaScript writes it: receivers check signatures
// over what they parsed and wrote again. encoding/json escapes three characters more.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return unescaped(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// unescaped replaces the escapes of the line separators, and of the replacement character,
// in JSON. What it returns may share memory with text.
func unescaped(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u202`)) && !bytes.Contains(text, []byte(`\ufffd`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			out = append(out, text[i])
			i++
			continue
		}
		n := 2 // bytes of the escape
		if text[i+1] == 'u' {
			n = 6
		}
		switch esc := text[i : i+n]; string(esc) {
		case `\u2028`:
			out = append(out, "\u2028"...)
		case `\u2029`:
			out = append(out, "\u2029"...)
		case `\ufffd`:
			out = append(out, "\ufffd"...)
		default:
			out = append(out, esc...)
		}
		i += n
	}
	return out
}

package crm

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// maxID is the longest id of a chat, a message or a person, in bytes.
const maxID = 128

// ID is an id of a messenger as the wire shows it: a JSON number or a string. It is
// stored as text.
type ID struct {
	text   string
	number bool // in JSON it is a number
}

// MakeID returns the id with this text. WhatsApp's ids are always strings; ids of
// other messengers are numbers when they are integers that every JSON reader keeps
// exactly.
func MakeID(messengerType, text string) ID {
	return ID{text: text, number: !IsWhatsApp(messengerType) && isSafeInteger(text)}
}

// isSafeInteger reports whether s is an integer in JSON's form, of less than 2^53 in
// absolute value.
func isSafeInteger(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && -1<<53 < n && n < 1<<53 && strconv.FormatInt(n, 10) == s
}

// String returns the id's text.
func (id ID) String() string { return id.text }

// MarshalJSON implements json.Marshaler.
func (id ID) MarshalJSON() ([]byte, error) {
	if id.number {
		return []byte(id.text), nil
	}
	return json.Marshal(id.text)
}

// UnmarshalJSON accepts a string or an integer; null leaves the id as it is.
func (id *ID) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case string(b) == "null":
		return nil
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*id = ID{text: s}
		return nil
	case isSafeInteger(string(b)):
		*id = ID{text: string(b), number: true}
		return nil
	}
	// The decoder adds the field's path to an error of this type.
	return &json.UnmarshalTypeError{Value: jsonKind(b), Type: reflect.TypeFor[string]()}
}

// jsonKind returns JSON's word for a value that is not a string.
func jsonKind(b []byte) string {
	switch {
	case len(b) == 0:
		return "nothing"
	case b[0] == '{':
		return "object"
	case b[0] == '[':
		return "array"
	case b[0] == 't' || b[0] == 'f':
		return "bool"
	}
	return "number " + string(b)
}

// checkID refuses an id that no messenger would give: an empty or too long one, or one
// with spaces or signs that have a meaning in URLs. Browsers and proxies remove the
// path segments . and .., so a path with such an id would lead elsewhere.
func checkID(field, id string) error {
	switch {
	case id == "":
		return Invalid(field, "is required")
	case len(id) > maxID:
		return Invalid(field, "is longer than %d bytes", maxID)
	case id == "." || id == "..":
		return Invalid(field, "may not be . or ..")
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`/\?#%"<>`, c) >= 0 {
			return Invalid(field, "may hold only visible ASCII characters without / \\ ? # %% \" < >")
		}
	}
	return nil
}

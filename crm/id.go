package crm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"chatcast/models"
)

// maxID is the longest id of a chat, a message or a person, in bytes.
const maxID = 128

// ID is an id of a messenger's as it stands on the wire: a JSON number or a
// string. It is stored as text.
type ID struct {
	text   string
	number bool // in JSON it is a number
}

// MakeID is an id from its text, as messengerType shows it: WhatsApp's ids are
// strings always; those of the others are numbers when they are integers that
// every JSON reader keeps exactly.
func MakeID(messengerType, text string) ID {
	return ID{text: text, number: !IsWhatsApp(messengerType) && isSafeInteger(text)}
}

// isSafeInteger says whether s is an integer as JSON writes it, under 2^53.
func isSafeInteger(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && -1<<53 < n && n < 1<<53 && strconv.FormatInt(n, 10) == s
}

// String is the id's text.
func (id ID) String() string { return id.text }

// MarshalJSON implements json.Marshaler.
func (id ID) MarshalJSON() ([]byte, error) {
	if id.number {
		return []byte(id.text), nil
	}
	return json.Marshal(id.text)
}

// UnmarshalJSON takes a string or an integer; null leaves the id empty.
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

// jsonKind is JSON's word for a value that is not a string.
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

// checkID refuses an id that no messenger would give: empty, too long, or with
// spaces or signs that have a meaning in addresses. Browsers and proxies take the
// steps . and .. out of an address, so a path with such an id would lead elsewhere.
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

// ChatKey is a chat's id taken apart. External is the id on the wire.
type ChatKey struct {
	External string
	LID      string // WhatsApp's other id, ...@lid; empty when it is not known
	Phone    string // digits alone; empty when the id is not a phone's
	Group    bool
}

var (
	phoneForm = regexp.MustCompile(`^[1-9][0-9]{4,14}$`) // E.164 has at most 15 digits
	groupForm = regexp.MustCompile(`^[0-9]{5,40}(-[0-9]{5,20})?$`)
	lidForm   = regexp.MustCompile(`^[0-9]{1,32}$`)
)

// ParseChatID reads a chat's id in every spelling that paths and bodies may
// have. field names it in the error.
func ParseChatID(field, messengerType, id string) (ChatKey, error) {
	if err := checkID(field, id); err != nil {
		return ChatKey{}, err
	}
	if !IsWhatsApp(messengerType) {
		return ChatKey{External: id, Group: strings.HasPrefix(id, "group-")}, nil
	}
	name, server, _ := strings.Cut(id, "@")
	name = strings.TrimPrefix(name, "+")
	switch server {
	case "", "c.us", "s.whatsapp.net":
		if phoneForm.MatchString(name) {
			return ChatKey{External: phoneChat(messengerType, name), Phone: name}, nil
		}
	case "g.us":
		if groupForm.MatchString(name) {
			return ChatKey{External: name + "@g.us", Group: true}, nil
		}
	case "lid":
		if lidForm.MatchString(name) {
			return ChatKey{External: name + "@lid", LID: name + "@lid"}, nil
		}
	}
	return ChatKey{}, Invalid(field, "must be a phone number of 5 to 15 digits, or an id ending in @c.us, @s.whatsapp.net, @g.us or @lid")
}

// phoneChat is the wire id of the chat with a phone number. The older type
// WhatsApp shows the bare number.
func phoneChat(messengerType, phone string) string {
	if messengerType == TypeWhatsApp {
		return phone
	}
	return phone + "@c.us"
}

// chatHash is the hash of a chat whose messenger gave none: "h" and digits, the
// same for the same chat of a line. An id that ends in one keeps it.
func chatHash(licenseID int64, messengerType, externalID string) string {
	if i := strings.LastIndexByte(externalID, 'h'); i >= 0 && lidForm.MatchString(externalID[i+1:]) {
		return externalID[i:]
	}
	sum := sha256.Sum256([]byte(strconv.FormatInt(licenseID, 10) + "/" + messengerType + "/" + externalID))
	return "h" + strconv.FormatUint(binary.BigEndian.Uint64(sum[:])>>1, 10)
}

// seenChat finds a chat that the actor may see, by its id in any spelling. What
// they may not see is not found.
func (l *line) seenChat(tx *models.Tx, a Actor, chatID string) (*models.Chat, error) {
	return l.visibleChat(a, chatID, tx.ChatByExternal)
}

// lockChat is seenChat that also locks the chat's row for the change.
func (l *line) lockChat(tx *models.Tx, a Actor, chatID string) (*models.Chat, error) {
	return l.visibleChat(a, chatID, tx.LockChat)
}

func (l *line) visibleChat(a Actor, chatID string, find func(int64, string, string) (*models.Chat, error)) (*models.Chat, error) {
	key, err := ParseChatID("chatId", l.messenger, chatID)
	if err != nil {
		return nil, err
	}
	chat, err := find(l.licenseID, l.messenger, key.External)
	if err != nil {
		return nil, orNotFound(err, "chat")
	}
	if !l.sees(a, chat.ResponsibleID) {
		return nil, notFound("chat")
	}
	return chat, nil
}

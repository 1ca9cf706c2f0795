package multiwa

import (
	"strings"

	"chatcast/crm"
)

const (
	atPerson = "@c.us"
	atGroup  = "@g.us"
	// statusChat is where what people post as their status comes from.
	statusChat = "status@broadcast"
)

// chatID returns a chat's or a person's id as this dialect writes it. Only lines of one
// older type have bare numbers.
func chatID(messenger, id string) string {
	if id != "" && crm.IsWhatsApp(messenger) && !strings.Contains(id, "@") {
		return id + atPerson
	}
	return id
}

// personID returns the id of a person, by the phone number when that is known.
func personID(messenger, id string, phone *string) string {
	if phone != nil && *phone != "" && crm.IsWhatsApp(messenger) {
		return *phone + atPerson
	}
	return chatID(messenger, id)
}

// ownID returns the id of a line's account; "" while its number is not known.
func ownID(phone string) string {
	if phone == "" {
		return ""
	}
	return phone + atPerson
}

// messageID returns the id of a message: whether it is ours, its chat, the messenger's id
// and, of what others say in a group, who says it.
func messageID(fromMe bool, chat, id, participant string) string {
	head := "false_"
	if fromMe {
		head = "true_"
	}
	id = head + chat + "_" + id
	if participant != "" && !fromMe {
		id += "_" + participant
	}
	return id
}

// parsedID is the id of a message in a request. Its chat is empty when it was a bare id of
// the messenger.
type parsedID struct{ chat, id string }

// parseMessageID reads the id of a message, in the form of messageID or bare.
func parseMessageID(text string) parsedID {
	for _, head := range [...]string{"true_", "false_"} {
		rest, ok := strings.CutPrefix(text, head)
		if !ok {
			continue
		}
		chat, id, ok := strings.Cut(rest, "_")
		if !ok || chat == "" || id == "" {
			break
		}
		if i := strings.LastIndexByte(id, '_'); i > 0 && strings.Contains(id[i:], "@") {
			id = id[:i]
		}
		return parsedID{chat, id}
	}
	return parsedID{id: text}
}

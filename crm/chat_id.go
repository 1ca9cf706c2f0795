package crm

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"strconv"
	"strings"

	"chatcast/models"
)

// ChatKey holds the parts of a chat's id. External is the id on the wire.
type ChatKey struct {
	External string
	LID      string // WhatsApp's other id, ...@lid; empty when it is not known
	Typed    string // in an InboundAlias: the id of a number that stands for this one
	Phone    string // digits only; empty when the id is not a phone number
	Group    bool
	Channel  bool
}

// private reports whether the id is that of a person.
func (k ChatKey) private() bool { return !k.Group && !k.Channel }

// chatType returns the type of the chat.
func (k ChatKey) chatType() string {
	switch {
	case k.Group:
		return models.ChatGroup
	case k.Channel:
		return models.ChatChannel
	}
	return models.ChatPrivate
}

var (
	phoneForm = regexp.MustCompile(`^[1-9][0-9]{4,14}$`) // E.164 has at most 15 digits
	groupForm = regexp.MustCompile(`^[0-9]{5,40}(-[0-9]{5,20})?$`)
	lidForm   = regexp.MustCompile(`^[0-9]{1,32}$`)

	channelForm = regexp.MustCompile(`^[0-9]{5,40}$`)
)

// ParseChatID parses a chat's id in every spelling that paths and bodies may
// have. Errors name field.
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
	case "newsletter":
		if channelForm.MatchString(name) {
			return ChatKey{External: name + "@newsletter", Channel: true}, nil
		}
	case "lid":
		if lidForm.MatchString(name) {
			return ChatKey{External: name + "@lid", LID: name + "@lid"}, nil
		}
	}
	return ChatKey{}, Invalid(field, "must be a phone number of 5 to 15 digits, or an id ending in @c.us, @s.whatsapp.net, @g.us, @newsletter or @lid")
}

// phoneChat returns the wire id of the chat with a phone number. In the older
// messenger type WhatsApp it is the bare number.
func phoneChat(messengerType, phone string) string {
	if messengerType == TypeWhatsApp {
		return phone
	}
	return phone + "@c.us"
}

// chatHash returns the hash of a chat whose messenger gave none: "h" and digits, the
// same for the same chat of a line. When the id ends in a hash, chatHash returns that.
func chatHash(licenseID int64, messengerType, externalID string) string {
	if i := strings.LastIndexByte(externalID, 'h'); i >= 0 && lidForm.MatchString(externalID[i+1:]) {
		return externalID[i:]
	}
	sum := sha256.Sum256([]byte(strconv.FormatInt(licenseID, 10) + "/" + messengerType + "/" + externalID))
	return "h" + strconv.FormatUint(binary.BigEndian.Uint64(sum[:])>>1, 10)
}

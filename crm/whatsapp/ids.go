package whatsapp

import (
	"regexp"

	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// Type is the type of the messengers that this package serves.
const Type = content.MessengerType

// chatID returns the id of a chat or a person in crm, or "" for an address of another
// kind.
func chatID(j types.JID) string {
	switch j.Server {
	case types.DefaultUserServer, types.LegacyUserServer:
		return j.User + "@" + types.LegacyUserServer
	case types.GroupServer, types.HiddenUserServer:
		return j.User + "@" + j.Server
	}
	return ""
}

// jidOf returns the WhatsApp address of a chat id of crm.
func jidOf(chatID string) (types.JID, error) {
	j, err := types.ParseJID(chatID)
	if j.Server == types.LegacyUserServer {
		j.Server = types.DefaultUserServer
	}
	return j, err
}

var (
	digits     = regexp.MustCompile(`^[1-9][0-9]{4,14}$`)
	hiddenForm = regexp.MustCompile(`^[0-9]{1,32}$`)
)

// phoneOf returns a person's phone number, or nil when the id contains none.
func phoneOf(j types.JID) *string {
	if (j.Server == types.DefaultUserServer || j.Server == types.LegacyUserServer) && digits.MatchString(j.User) {
		return &j.User
	}
	return nil
}

// isLID reports whether the address is a hidden id that crm accepts.
func isLID(j types.JID) bool {
	return j.Server == types.HiddenUserServer && hiddenForm.MatchString(j.User)
}

// pair holds the two ids of a person: the phone number and the hidden id. Either may
// be unknown.
type pair struct{ PN, LID types.JID }

// pairOf sorts two ids of one person into a pair and removes their device parts.
func pairOf(a, b types.JID) (p pair) {
	for _, j := range []types.JID{a.ToNonAD(), b.ToNonAD()} {
		switch {
		case j.IsEmpty():
		case j.Server == types.HiddenUserServer:
			p.LID = j
		case j.Server == types.DefaultUserServer, j.Server == types.LegacyUserServer:
			j.Server = types.DefaultUserServer
			p.PN = j
		}
	}
	return p
}

// lid returns the person's hidden id, or nil when it is not known.
func (p pair) lid() *string {
	if !isLID(p.LID) {
		return nil
	}
	id := chatID(p.LID)
	return &id
}

// id returns the person's id in crm: by phone number when it is known, else by hidden
// id.
func (p pair) id() string {
	if !p.PN.IsEmpty() {
		return chatID(p.PN)
	}
	return chatID(p.LID)
}

// chat returns the private chat with the person.
func (p pair) chat() crm.InboundChat {
	c := crm.InboundChat{ID: content.ID(p.id()), Type: "private", Phone: phoneOf(p.PN)}
	if !p.LID.IsEmpty() {
		lid := chatID(p.LID)
		c.LID = &lid
	}
	return c
}

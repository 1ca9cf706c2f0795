package shape

import "strings"

// Servers of JIDs.
const (
	userServer    = "@s.whatsapp.net"
	crmUserServer = "@c.us" // of people, in the CRM's ids
	lidServer     = "@lid"
	groupServer   = "@g.us"

	statusChat = "status@broadcast" // of posts that are said to everybody
)

// JID returns an id of a chat or a person in the CRM as a JID: a phone number, bare or with
// @c.us, ends in @s.whatsapp.net. Ids of groups and LIDs, and those of other messengers, stay
// as they are.
func JID(id string) string {
	if user, ok := strings.CutSuffix(id, crmUserServer); ok {
		return user + userServer
	}
	if isDigits(id) {
		return id + userServer
	}
	return id
}

// ID returns a JID as an id of the CRM, without its part for a device.
func ID(jid string) string {
	user, server, ok := strings.Cut(jid, "@")
	if !ok {
		return jid
	}
	if i := strings.IndexByte(user, ':'); i >= 0 {
		user = user[:i]
	}
	if "@"+server == userServer {
		return user + crmUserServer
	}
	return user + "@" + server
}

// IsGroup reports whether an id or a JID is that of a group.
func IsGroup(id string) bool { return strings.HasSuffix(id, groupServer) }

// user returns the part of a JID before its server.
func user(jid string) string {
	name, _, _ := strings.Cut(jid, "@")
	return name
}

// personJID returns the JID of a person, and their other one if both are known. phone may
// be empty, lid too.
func personJID(id, phone, lid string) (jid, alt string) {
	jid = JID(id)
	if strings.HasSuffix(jid, lidServer) && isDigits(phone) {
		return phone + userServer, jid
	}
	if lid != jid {
		alt = lid
	}
	return jid, alt
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

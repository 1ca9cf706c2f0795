package multiwa

import "math/bits"

// kind is what an event of this dialect is about. Each kind has a name of its own, and some
// have others that older clients list.
type kind uint8

const (
	kindQR kind = iota
	kindSession
	kindReceived
	kindSent
	kindAck
	kindJoin
	kindLeave
	kindContact
	kinds
)

// names are the names under which events can be listed. A name with a detail stands for
// those events of its kind alone that have it. The first name of a kind is its own.
var names = [...]struct {
	text   string
	kind   kind
	detail string
}{
	{"qr.updated", kindQR, ""},
	{"session.status", kindSession, ""},
	{"message.received", kindReceived, ""},
	{"message.sent", kindSent, ""},
	{"message.ack", kindAck, ""},
	{"group.join", kindJoin, ""},
	{"group.leave", kindLeave, ""},
	{"contact.update", kindContact, ""},

	{"session.qr", kindQR, ""},
	{"connection.qr", kindQR, ""},
	{"qr:update", kindQR, ""},
	{"session.connected", kindSession, statusConnected},
	{"session.disconnected", kindSession, statusDisconnected},
	{"connection.update", kindSession, ""},
	{"connection.ready", kindSession, statusConnected},
	{"connection.disconnected", kindSession, statusDisconnected},
	{"connection:status", kindSession, ""},
	{"message", kindReceived, ""},
	{"group.message", kindReceived, detailGroup},
	{"message.delivered", kindAck, ackDelivered},
	{"message.read", kindAck, ackRead},
	{"message.failed", kindAck, ackFailed},
	{"message:ack", kindAck, ""},
}

// everything is the list entry that stands for the own names of all kinds.
const everything = "*"

// detailGroup is the detail of a message in a group.
const detailGroup = "group"

// eventSet is a set of names, one bit for each. Sockets with equal sets share their frames.
type eventSet uint32

const allOwn = eventSet(1)<<kinds - 1

// add adds what a list entry stands for, and reports whether there is such a name.
func (s *eventSet) add(text string) bool {
	if text == everything {
		*s |= allOwn
		return true
	}
	for i := range names {
		if names[i].text == text {
			*s |= 1 << i
			return true
		}
	}
	return false
}

// of returns those of the names that stand for an event.
func (s eventSet) of(k kind, detail string) (found eventSet) {
	for rest := s; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros32(uint32(rest))
		if n := &names[i]; n.kind == k && (n.detail == "" || n.detail == detail) {
			found |= 1 << i
		}
	}
	return found
}

// has reports whether a name of the kind is in the set.
func (s eventSet) has(k kind) bool {
	for rest := s; rest != 0; rest &= rest - 1 {
		if names[bits.TrailingZeros32(uint32(rest))].kind == k {
			return true
		}
	}
	return false
}

// texts calls f with the names of the set, each kind's own name first.
func (s eventSet) texts(f func(text string)) {
	for rest := s; rest != 0; rest &= rest - 1 {
		f(names[bits.TrailingZeros32(uint32(rest))].text)
	}
}

package shape

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// eventName is an event of Evolution.
type eventName struct {
	config string // in an instance's list
	wire   string // on sockets and in envelopes
	v2     bool   // version 1 does not know it
	never  bool   // a list may have it, and it is never sent
}

// names are all events. An instance's list may have any of them. The place of an event is
// its bit in a Filter.
var names = []eventName{
	{config: "APPLICATION_STARTUP", wire: "application.startup"},
	{config: "QRCODE_UPDATED", wire: "qrcode.updated"},
	{config: "CONNECTION_UPDATE", wire: "connection.update"},
	{config: "STATUS_INSTANCE", wire: "status.instance"},
	{config: "MESSAGES_SET", wire: "messages.set"},
	{config: "MESSAGES_UPSERT", wire: "messages.upsert"},
	{config: "MESSAGES_UPDATE", wire: "messages.update"},
	{config: "MESSAGES_EDITED", wire: "messages.edited", v2: true},
	{config: "MESSAGES_DELETE", wire: "messages.delete"},
	{config: "SEND_MESSAGE", wire: "send.message"},
	{config: "SEND_MESSAGE_UPDATE", wire: "send.message.update", v2: true},
	{config: "CONTACTS_SET", wire: "contacts.set"},
	{config: "CONTACTS_UPSERT", wire: "contacts.upsert"},
	{config: "CONTACTS_UPDATE", wire: "contacts.update"},
	{config: "PRESENCE_UPDATE", wire: "presence.update"},
	{config: "CHATS_SET", wire: "chats.set"},
	{config: "CHATS_UPSERT", wire: "chats.upsert"},
	{config: "CHATS_UPDATE", wire: "chats.update"},
	{config: "CHATS_DELETE", wire: "chats.delete"},
	{config: "GROUPS_UPSERT", wire: "groups.upsert"},
	{config: "GROUP_UPDATE", wire: "groups.update"},
	{config: "GROUP_PARTICIPANTS_UPDATE", wire: "group-participants.update"},
	{config: "LABELS_EDIT", wire: "labels.edit"},
	{config: "LABELS_ASSOCIATION", wire: "labels.association"},
	{config: "CALL", wire: "call"},
	{config: "LOGOUT_INSTANCE", wire: "logout.instance", v2: true},
	{config: "REMOVE_INSTANCE", wire: "remove.instance", v2: true},
	{config: "INSTANCE_CREATE", wire: "instance.create", v2: true},
	{config: "INSTANCE_DELETE", wire: "instance.delete", v2: true},
	{config: "TYPEBOT_START", wire: "typebot.start", never: true},
	{config: "TYPEBOT_CHANGE_STATUS", wire: "typebot.change-status", never: true},
	{config: "NEW_JWT_TOKEN", wire: "new.jwt", never: true},
	{config: "CHAMA_AI_ACTION", wire: "chama-ai.action", never: true},
}

// aliases are further names of events in lists.
var aliases = map[string]string{
	// Evolution derives this name from the wire and looks for it in lists that have the
	// other one, so that the event never comes there. Here either asks for it.
	"GROUPS_UPDATE": "GROUP_UPDATE",
}

// Filter is a set of events that a client wants. The zero Filter is all of them.
type Filter uint64

// listed marks a Filter that was made from a list, so that one of events that are never
// sent is not all events.
const listed Filter = 1 << 63

// EventNames lists the names that an instance's list may have.
func EventNames() []string {
	all := make([]string, 0, len(names)+len(aliases))
	for _, n := range names {
		all = append(all, n.config)
	}
	for alias := range aliases {
		all = append(all, alias)
	}
	slices.Sort(all)
	return all
}

// ParseEvents returns the filter of an instance's list. An empty list is all events. An
// error names the first unknown name.
func ParseEvents(list []string) (Filter, error) {
	var f Filter
	for _, name := range list {
		i := bitOf(name)
		if i < 0 {
			return 0, fmt.Errorf("%q is not an event of Evolution", name)
		}
		f |= listed | 1<<i
	}
	return f, nil
}

func bitOf(config string) int {
	if other, ok := aliases[config]; ok {
		config = other
	}
	return slices.IndexFunc(names, func(n eventName) bool { return n.config == config })
}

// bitOfWire holds the place of each event that is sent, by its name on the wire.
var bitOfWire = func() map[string]int {
	m := make(map[string]int, len(names))
	for i, n := range names {
		if !n.never {
			m[n.wire] = i
		}
	}
	return m
}()

// Has reports whether the client gets the event with this name on the wire. Version 1 does
// not know some events: its clients get those only when they want all. It sends
// status.instance always.
func (f Filter) Has(wire string, shape Shape) bool {
	i, known := bitOfWire[wire]
	switch {
	case !known:
		return false
	case f == 0 || shape == V1 && wire == "status.instance":
		return true
	case shape == V1 && names[i].v2:
		return false
	}
	return f&(1<<i) != 0
}

// Events lists the names of the filter as an instance's list has them; none: all events.
func (f Filter) Events() []string {
	var all []string
	for rest := uint64(f &^ listed); rest != 0; rest &= rest - 1 {
		all = append(all, names[bits.TrailingZeros64(rest)].config)
	}
	return all
}

// Dashed returns the name of an event as the path of a webhook ends in it, such as
// messages-upsert.
func Dashed(wire string) string { return strings.NewReplacer(".", "-", "_", "-").Replace(wire) }

package multiwa

import (
	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
)

// Events as the clients of Socket.IO know them: what is the data elsewhere stands beside the
// id of the profile. They have names of their own; under every other name of a list a client
// of Socket.IO gets what a client of the WebSocket gets.

// shortNames are those names: the list of a client that gives none.
var shortNames = setOf("qr:update", "connection:status", "message", "message:ack")

// setOf returns the set of names that there are.
func setOf(list ...string) (s eventSet) {
	for _, name := range list {
		s.add(name)
	}
	return s
}

// shortSession is connection:status.
type shortSession struct {
	Status string  `json:"status"`
	Phone  *string `json:"phoneNumber,omitempty"`
	Reason *string `json:"reason,omitempty"`
}

// shortQR is qr:update.
type shortQR struct {
	QRCode string `json:"qrCode"` // a picture, as a data URL
}

// shortMessage is message.
type shortMessage struct {
	Message      messageData      `json:"message"`
	Conversation conversationCard `json:"conversation"`
}

// conversationCard is the conversation of a message. Its id is that of the chat, which the
// routes take with profileId.
type conversationCard struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	Phone         *string `json:"phone"`
	IsGroup       bool    `json:"isGroup"`
	ProfilePicURL *string `json:"profilePicUrl"`
	UnreadCount   *int64  `json:"unreadCount,omitempty"` // absent: it did not change
}

func (at scene) shortMessage(item *crm.MessageItem, unread *int64, data messageData) shortMessage {
	chat := &item.Chat
	return shortMessage{data, conversationCard{
		ID: chatID(at.messenger, chat.ID), Name: chat.Name, Phone: chat.Phone, IsGroup: data.IsGroup, ProfilePicURL: chat.Image, UnreadCount: unread,
	}}
}

// Emit is an event of Socket.IO: its name and its argument, which is valid JSON.
type Emit struct {
	Name string
	Data []byte
}

// names of what is told of a subscription.
const (
	emitError    = "error"
	emitReplayed = "replayed"
)

// Feed encodes the events of a profile for clients of Socket.IO. Feeds with equal lists of
// one profile are equal.
type Feed struct {
	of      *renderer
	want    eventSet
	profile string
}

// Emits returns what an event becomes, one emit for each name in the list. It neither blocks
// nor locks.
func (f Feed) Emits(ev broadcasting.Event) (all []Emit) {
	for _, o := range f.of.render(&ev) {
		found := f.want.of(o.kind, o.detail)
		(found &^ shortNames).texts(func(name string) {
			all = append(all, Emit{name, appendPayload(nil, name, f.profile, o.time, ev.Seq, o.data)})
		})
		(found & shortNames).texts(func(name string) {
			if data := f.short(&o, ev.Seq); data != nil {
				all = append(all, Emit{name, data})
			}
		})
	}
	return all
}

// short returns the argument of an occurrence under a name of shortNames.
func (f Feed) short(o *occurrence, id int64) []byte {
	members, err := encode(o.short)
	if err != nil || len(members) < 2 || members[0] != '{' {
		f.of.log.Error("an event could not be encoded", "id", id, "error", err)
		return nil
	}
	data := append([]byte(`{"profileId":"`+f.profile+`",`), members[1:len(members)-1]...)
	return appendTime(data, o.time, id)
}

// Lost returns what tells a client that it no longer gets the events of a channel.
func (f Feed) Lost(channel string) []Emit {
	return f.tell(channel, emitError, failure{Error: errorWithdrawn, ProfileID: f.profile})
}

// Missed returns what tells a client that a part of what it asked for is no longer kept.
func (f Feed) Missed(channel string, oldest, last int64) []Emit {
	return f.tell(channel, emitError, failure{Error: errorMissed, ProfileID: f.profile, OldestEventID: oldest, LastEventID: last})
}

// Resumed returns what tells a client that it has everything up to an event.
func (f Feed) Resumed(channel string, id int64) []Emit {
	return f.tell(channel, emitReplayed, replayed{Action: emitReplayed, ProfileID: f.profile, LastEventID: id})
}

// tell tells of a channel. That of the codes that pair a profile belongs to the profile's, and
// is not told of.
func (f Feed) tell(channel, name string, v any) []Emit {
	at, err := channels.Parse(channel)
	if err != nil || at.Room().Family != channels.Line {
		return nil
	}
	data, err := encode(v)
	if err != nil {
		return nil
	}
	return []Emit{{name, data}}
}

package broadcasting

import (
	"time"

	"chatcast/channels"
)

// Kind is the kind of a ChannelEvent.
type Kind uint8

// Kinds of channel events. Webhooks report them.
const (
	Occupied      Kind = iota + 1 // the first socket came
	Vacated                       // the last socket went
	MemberAdded                   // a user's first socket came; UserID
	MemberRemoved                 // a user's last socket went; UserID
	CacheMissed                   // a socket came to a cache channel that has no event; once for each empty period
	Counted                       // how many sockets are subscribed has changed; Count
	ClientSent                    // a client event was accepted; Name, Data, SocketID, UserID on a presence channel
)

// ChannelEvent is one thing that happened to a channel of an app.
type ChannelEvent struct {
	Kind     Kind
	App      string // the app's id
	Channel  string // full name
	At       time.Time
	UserID   string
	Count    int
	Name     string // of a client event
	Data     string // as the client sent it: JSON, or empty
	SocketID string
}

// ChannelEventSink is told what happens to channels, in order for each channel. It is
// not told of the channels of signed-in users, which the application did not make.
// Record is called under a channel's lock: it must neither block nor call the engine.
//
// Every node records who comes and goes in the whole cluster: Occupied, Vacated,
// MemberAdded and MemberRemoved, also of what a dead node leaves behind. A sink may be told
// again what it knows. All other events are recorded by the node on which they happen. So a
// program that needs each change of the cluster once elects the node that reports who comes
// and goes, and any other may go on from there.
type ChannelEventSink interface{ Record(ChannelEvent) }

// Record sets the sink of channel events. It must be called before the first socket
// connects.
func (e *Engine) Record(r ChannelEventSink) { e.sink = r }

// record passes h, which happens to ch now, to the sink; needs ch.mu.
func (e *Engine) record(ch *channel, h ChannelEvent) {
	if e.sink == nil || ch.kind == channels.User {
		return
	}
	h.App, h.Channel, h.At = ch.key.app, ch.key.name, time.Now()
	e.sink.Record(h)
}

// ClientSent records that ev, a client event of the socket ev.Except, was accepted.
func (e *Engine) ClientSent(ev Event) {
	if e.sink == nil {
		return
	}
	name, err := channels.Parse(ev.Channel)
	if err != nil {
		return // not a channel, so nothing can happen to it
	}
	// The sender may have been unsubscribed meanwhile, as the last subscriber.
	ch := e.hub.enter(key{ev.App, ev.Channel}, name)
	e.record(ch, ChannelEvent{Kind: ClientSent, Name: ev.Name, Data: ev.Data, SocketID: ev.Except, UserID: ev.UserID})
	e.hub.unlock(ch)
}

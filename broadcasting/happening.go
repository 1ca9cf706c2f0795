package broadcasting

import (
	"time"

	"chatcast/channels"
)

// Kind is what happened to a channel.
type Kind uint8

// Kinds of happenings, those that webhooks tell of.
const (
	Occupied      Kind = iota + 1 // the first socket came
	Vacated                       // the last socket went
	MemberAdded                   // a user's first socket came; UserID
	MemberRemoved                 // a user's last socket went; UserID
	CacheMissed                   // a socket came to a cache channel that has nothing; once for each empty period
	Counted                       // how many sockets are subscribed has changed; Count
	ClientSent                    // a client event was accepted; Name, Data, SocketID, UserID on a presence channel
)

// Happening is one thing that happened to a channel of an app.
type Happening struct {
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

// Recorder is told what happens to channels, in the order in which it happens to
// each; of the channels of signed-in users nothing, for they are no channels of the
// application's making. Record is called under a channel's lock: it must neither
// block nor call the engine.
type Recorder interface{ Record(Happening) }

// Record sets who is told what happens to channels. It must be called before the
// first socket connects.
func (e *Engine) Record(r Recorder) { e.recorder = r }

// record tells of h, which happens to ch now; needs ch.mu.
func (e *Engine) record(ch *channel, h Happening) {
	if e.recorder == nil || ch.kind == channels.User {
		return
	}
	h.App, h.Channel, h.At = ch.key.app, ch.key.name, time.Now()
	e.recorder.Record(h)
}

// ClientSent records that ev, a client event of the socket ev.Except, was accepted.
func (e *Engine) ClientSent(ev Event) {
	if e.recorder == nil {
		return
	}
	name, err := channels.Parse(ev.Channel)
	if err != nil {
		return // no channel, so nothing can happen to it
	}
	// Its sender may have been put out meanwhile, as the last one.
	ch := e.hub.enter(key{ev.App, ev.Channel}, name)
	e.record(ch, Happening{Kind: ClientSent, Name: ev.Name, Data: ev.Data, SocketID: ev.Except, UserID: ev.UserID})
	e.hub.unlock(ch)
}

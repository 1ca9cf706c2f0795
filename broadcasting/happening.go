package broadcasting

import "time"

// Kind is what happened to a channel.
type Kind uint8

// Kinds of happenings, those that webhooks tell of.
const (
	Occupied     Kind = iota + 1 // the first socket came
	Vacated                      // the last socket went
	MemberAdded                  // a user's first socket came; UserID
	MemberRemoved                // a user's last socket went; UserID
	CacheMissed                  // a socket came to a cache channel that has nothing; once for each empty period
	Counted                      // how many sockets are subscribed has changed; Count
	ClientSent                   // a client event was accepted; Name, Data, SocketID, UserID on a presence channel
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
// each. Record is called under a channel's lock: it must neither block nor call the
// engine.
type Recorder interface{ Record(Happening) }

package broadcasting

import "encoding/json"

// Dialect encodes frames: complete WebSocket bytes, of one or several messages, that many
// sockets share and that are never changed. An empty frame of an event is not queued: the
// dialect has nothing to say about it. Its methods run under a channel's lock and must neither block nor
// lock. A Dialect must be comparable, because sockets are grouped by it.
type Dialect interface {
	// Event encodes a published event.
	Event(ev Event) []byte
	// Subscribed tells a socket that it is in the channel. members is nil on a channel
	// without presence, and may be used only during the call.
	Subscribed(channel string, members []*Member) []byte
	// MemberAdded and MemberRemoved tell the other sockets of a presence channel.
	MemberAdded(channel string, m *Member) []byte
	MemberRemoved(channel, userID string) []byte
	// Unsubscribed tells a socket that its subscription has ended against its will.
	Unsubscribed(channel string) []byte
	// SubscriptionCount tells a channel how many sockets are subscribed to it.
	SubscriptionCount(channel string, n int) []byte
	// CacheMissed tells a socket that the cache channel it subscribed to has no event.
	CacheMissed(channel string) []byte
	// ResumeFailed tells a socket that a replay cannot go on from where it is. oldest is the
	// lowest number that is kept, and what is later than last will come.
	ResumeFailed(channel string, oldest, last int64) []byte
	// Position tells a socket that begins, or whose replay is over, that it was sent all events
	// of the channel up to the number that it may read, and will be sent the later ones.
	Position(channel string, seq int64) []byte
	// Next tells a socket that resumes the number of the channel's next event, of an app whose
	// events do not have it in their data. The event follows as soon as there is room for it;
	// events without a number, and frames of the protocol, may come between.
	Next(channel string, seq int64) []byte
	// SignedIn tells a socket that it is signed in; data is the Data of its Identity.
	SignedIn(data string) []byte
	// WatchlistEvents tells a socket which of the users it watches have come online or
	// gone.
	WatchlistEvents(online bool, userIDs []string) []byte
}

// Member is a user in a presence channel, on one or more sockets.
type Member struct {
	ID   string
	Info json.RawMessage // of the user's first socket; nil: none
}

// Queue takes frames for one socket. It must not block.
type Queue interface{ Queue(frame []byte) }

// Peer is a socket as the engine sees it.
type Peer struct {
	App     string // the app's id
	ID      string // unique among all nodes within the app
	Dialect Dialect
	Out     Queue

	// Disconnect closes the socket. It may be called more than once, and under no
	// lock.
	Disconnect func(DisconnectCause)

	// Unremembered says that nobody will ask how far the socket has come, see Engine.Received:
	// its client knows by itself.
	Unremembered bool

	// Replayed is called, under no lock, when a subscription was sent a part of what it
	// missed, and when it is up to date. It must not block; nil: it is not called.
	Replayed func()

	// CountsEnabled reports whether subscribers in its app are told their number now.
	// It is called when a socket leaves a channel, and must neither block nor call the
	// engine. If it is nil, the channel keeps its setting.
	CountsEnabled func() bool
}

// DisconnectCause is the reason for closing a socket.
type DisconnectCause uint8

// Causes of a disconnect.
const (
	AccessEnded DisconnectCause = iota + 1 // its user may no longer be connected
	Terminated                             // its app closes all sockets of the signed-in user
	CutOff                                 // this node may not know that its access has ended: it may come back
)

// Watcher is told which users enter and leave which channels, as far as Engine.Grant
// has told the user of a subscription: once for each socket and channel, in order for
// each socket, outside all locks. It is called in the goroutine that changes the
// subscription, so it should be quick.
type Watcher interface {
	Entered(channel, userID string)
	Left(channel, userID string)
}

package broadcasting

import "encoding/json"

// Dialect makes frames: complete WebSocket bytes that many sockets share and
// nobody changes. Its methods run under a channel's lock: they must neither block
// nor lock. A Dialect must be comparable, for sockets are grouped by it.
type Dialect interface {
	// Event encodes what was published.
	Event(ev *Event) []byte
	// Subscribed tells a socket that it is in; members is nil on a channel without
	// presence, and may be used only during the call.
	Subscribed(channel string, members []*Member) []byte
	// MemberAdded and MemberRemoved tell the others of a presence channel.
	MemberAdded(channel string, m *Member) []byte
	MemberRemoved(channel, userID string) []byte
	// Unsubscribed tells a socket that its subscription has ended against its will.
	Unsubscribed(channel string) []byte
	// SubscriptionCount tells a channel how many sockets are subscribed to it.
	SubscriptionCount(channel string, n int) []byte
	// CacheMissed tells a socket that the cache channel it came to has no event.
	CacheMissed(channel string) []byte
	// SignedIn tells a socket as whom it is signed in, in the words that it proved.
	SignedIn(data string) []byte
	// WatchlistEvents tells a socket which of the users it watches have come, or gone.
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

	// CountsEnabled says whether its app has subscribers told how many they are now; asked
	// when one goes, it must neither block nor call the engine. nil: as it was.
	CountsEnabled func() bool
}

// DisconnectCause is why a socket is to be closed.
type DisconnectCause uint8

// Causes of a disconnect.
const (
	AccessEnded DisconnectCause = iota + 1 // its user may no longer be here
	Terminated                             // its app ends all that are signed in as its user
)

// Watcher is told which users are where, as far as Engine.Grant said whose a
// subscription is: once for each socket and channel, in order for each socket,
// outside all locks. It is called by whoever subscribes, so it should be quick.
type Watcher interface {
	Entered(channel, userID string)
	Left(channel, userID string)
}

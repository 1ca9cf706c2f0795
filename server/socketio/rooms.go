package socketio

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"chatcast/broadcasting"
)

// Rooms decides who may enter a namespace. It is safe for concurrent use.
type Rooms interface {
	// CheckKey checks a key that came with the handshake, and returns its user. A *Refusal
	// refuses the connection; with any other error the client is asked to come back.
	CheckKey(ctx context.Context, key string) (userID int64, err error)
	// Enter opens a namespace. With a *Refusal the client is told so and does not try
	// again; with any other error the transport is closed, and the client comes back.
	Enter(ctx context.Context, r Request) (*Entry, error)
}

// Request is what a client says that wants to enter a namespace.
type Request struct {
	Namespace string          // "/" or "/shop": decoded, without the prefix /whatsapp and without a query
	Key       string          // from auth, query or header; "": none
	Auth      json.RawMessage // the payload of the CONNECT packet, an object; nil: none
	Peer      netip.Addr      // the other end of the connection, whatever its headers say
	Forwarded bool            // it has headers of a proxy: Peer is not the client's address
	Remote    string          // the client's address, as trusted proxies name it
	Host      string          // the host that the client has connected to, by its own words
	Origin    string          // of the page that has connected; "": it is none, or the browser does not say
}

// Entry is a namespace that a client has entered.
type Entry struct {
	UserID  int64  // of the key; 0: nobody's, and then nothing ends the access
	Channel string // the channel whose events it gets; "": none
	// Live are channels of events that are in no journal, such as codes that are shown for
	// seconds. Nothing of them is missed, so they do not hinder recovery.
	Live []string

	// Confirm asks again whether the client may be here. It is called when the engine knows
	// that the socket is the user's: access that ends later ends the socket. Its errors are
	// those of Enter. nil: it is not called.
	Confirm func(ctx context.Context) error

	Session int64     // of the user, as in broadcasting.Owner; 0: none
	Until   time.Time // as in broadcasting.Owner

	Encoder Encoder // of the channel's events
	Joined  func(s *Socket)
	// On handles an event that the client sends; nil: such events are ignored. It returns
	// the arguments of the acknowledgement, which are dropped if the client wants none. It
	// must return when ctx ends, which it does with the connection.
	On func(ctx context.Context, s *Socket, c Call) Args
}

// Encoder turns events into what clients get. It must be comparable: sockets with equal
// Encoders share the frames.
type Encoder interface {
	// Emits returns what an event becomes, in order: none, one or several emits. It is
	// called under the channel's lock: it must neither block nor lock.
	Emits(ev broadcasting.Event) []Emit
}

// Emit is an event as a client gets it.
type Emit struct {
	Name string
	Data []byte // its argument: valid JSON
}

// Call is an event that a client sends.
type Call struct {
	Event string
	Args
	// Acknowledge sends the acknowledgement, if the client wants one, before the handler
	// returns. What the handler returns then is dropped. It does not block.
	Acknowledge func(Args)
}

// Args are the arguments of an event or an acknowledgement. Attachments are binary; the
// arguments name them as {"_placeholder":true,"num":0}.
type Args struct {
	Values      []json.RawMessage
	Attachments [][]byte
}

// Refusal is an error that a client is told as its connect_error. It does not come back by
// itself.
type Refusal struct {
	Message string
	Data    any // of the error; nil: none
}

func (r *Refusal) Error() string { return "socketio: " + r.Message }

// Refusals of Rooms.
var (
	ErrInvalidNamespace = &Refusal{Message: "Invalid namespace"}
	ErrNoKey            = &Refusal{Message: "apiKey is required"}
	ErrInvalidKey       = &Refusal{Message: "Invalid apiKey"}
)

// errTooManyNamespaces refuses a client that has Options.Namespaces already.
var errTooManyNamespaces = &Refusal{Message: "Too many namespaces"}

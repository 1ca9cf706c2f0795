package server

import (
	"errors"
	"net/http"
	"time"
)

// HTTPCodec is the wire format of sessions over HTTP: the contents of the responses and
// the bodies of their requests. The session queues and bounds frames, hands over from
// one response to the next and detects silence; it knows no format. A codec keeps no
// state of a session and is safe for concurrent use.
type HTTPCodec interface {
	// Rules returns how the clients of this codec behave. It gets the server's options,
	// defaults filled in; only MessageBytes and BodyBytes may depend on those that are
	// Limits.
	Rules(Options) HTTPRules
	// Encode encodes the next part of an answer. It returns no bytes if p means nothing
	// to the clients of this codec.
	Encode(p Part) Encoded
	// Decode reads the body of a sending request, which is valid UTF-8. The messages
	// must be valid UTF-8 too; they may be parts of body. Its error is passed to
	// Refuse.
	Decode(body []byte) (Sent, error)
	// Accept answers a sending request whose messages have all been handled.
	Accept(w http.ResponseWriter)
	// Refuse answers a request that is not served: for ErrNoSession, ErrBusy,
	// ErrTooLarge, an error of Decode, or a body that could not be read. Caching is
	// already forbidden; a receiving request refused with ErrBusy has its Content-Type
	// set as well.
	Refuse(w http.ResponseWriter, err error)
}

// Errors of requests for a session over HTTP that are not served.
var (
	ErrNoSession = errors.New("there is no such session")
	ErrBusy      = errors.New("another request of this session is still open")
	ErrTooLarge  = errors.New("the message is too large")
)

// HTTPRules describe how the clients of a codec behave.
type HTTPRules struct {
	Polling      string // transport whose answer ends after its first bytes, as named in Conn
	Streaming    string // transport whose answer goes on, as named in Conn; "" if there is none
	ContentType  string // of a receiving request's answer
	MessageBytes int    // most bytes of a message
	BodyBytes    int    // most bytes in the body of a sending request
	StreamSize   int    // a streaming answer ends after the part that makes it larger, see Encoded.Size

	// Pings makes heartbeats pings: one is sent Options.Heartbeat after the answer to
	// the last, whatever else is sent, and a client that gives no sign of life for
	// Options.PongTimeout is closed as Silent. Without it a heartbeat is written when
	// an answer is open and nothing was written for Options.Heartbeat, and the dialect
	// asks after Options.ActivityTimeout, as on a WebSocket.
	Pings bool
	// PingEvery and PongTimeout take the place of Options.Heartbeat and Options.PongTimeout,
	// with Pings; 0: they do not.
	PingEvery, PongTimeout time.Duration

	// Strict ends a session as ProtocolError when two of its requests of one kind
	// overlap or a body is invalid, and as TooLarge when a body is too large. Without
	// it only that request is refused, and sending requests take turns.
	Strict bool
}

// Part is the next part of an answer, its fields in wire order. It is never empty.
type Part struct {
	Streaming bool        // the answer may go on after this
	First     bool        // the answer begins with this
	Open      bool        // the session begins with this
	Frames    [][]byte    // see Payload; shared, must not change
	Heartbeat bool        // a sign of life
	Held      bool        // the answer ends without frames, see HTTPSession.Hold
	Close     *Disconnect // ends answer and session, its Frame is in Frames already; Code 0: the client has asked for it or is gone
}

// Encoded is an encoded Part.
type Encoded struct {
	Bytes []byte
	Size  int  // counts towards HTTPRules.StreamSize
	Asks  bool // the client answers this with a body that is Alive
}

// Sent is the content of the body of a sending request.
type Sent struct {
	Messages [][]byte
	Alive    bool // a sign of life: the answer to a part with Asks or, when there was none, a request for a heartbeat
}

package server

import (
	"errors"
	"net/http"
)

// HTTPCodec is the wire of sessions over HTTP: what stands in the answers and the
// bodies of their requests. The session queues and bounds, hands over from one
// answer to the next and finds silence, and knows no format. A codec keeps nothing
// of a session and is safe for concurrent use.
type HTTPCodec interface {
	// Rules says how the clients of this codec behave. It is called once, with the
	// options of the server, defaults filled in.
	Rules(Options) HTTPRules
	// Encode returns what an answer says next. There are no bytes where p means
	// nothing to the clients of this codec.
	Encode(p Part) Encoded
	// Decode reads the body of a sending request, valid UTF-8. The messages must be
	// valid UTF-8 too; they may be parts of body. Its error is one for Refuse.
	Decode(body []byte) (Sent, error)
	// Accept answers a sending request whose messages have all been taken.
	Accept(w http.ResponseWriter)
	// Refuse answers a request that is not served: for ErrNoSession, ErrBusy,
	// ErrTooLarge, an error of Decode, or a body that could not be read. Caching is
	// forbidden already; a receiving request that is ErrBusy has its Content-Type too.
	Refuse(w http.ResponseWriter, err error)
}

// Why a request for a session over HTTP is not served.
var (
	ErrNoSession = errors.New("there is no such session")
	ErrBusy      = errors.New("another request of this session is still open")
	ErrTooLarge  = errors.New("the message is too large")
)

// HTTPRules are how the clients of a codec behave.
type HTTPRules struct {
	Polling      string // name of the transport of which an answer ends after its first bytes, in Conn
	Streaming    string // name of the transport of which an answer goes on, in Conn; "" if there is none
	ContentType  string // of a receiving request's answer
	MessageBytes int    // most bytes of a message
	BodyBytes    int    // most bytes in the body of a sending request
	StreamSize   int    // a streaming answer ends behind the part with which it is larger, see Encoded.Size

	// Pings says that heartbeats are pings: one is sent Options.Heartbeat after the
	// answer to the last, whatever else is sent, and a client that lets nothing be heard
	// of it for Options.PongTimeout is closed as Silent. Without it a heartbeat is
	// written where an answer is open and nothing was for Options.Heartbeat, and the
	// dialect asks after Options.ActivityTimeout, as on a WebSocket.
	Pings bool

	// Strict says that a session ends as ProtocolError when two of its requests of one
	// kind overlap, or a body is invalid, and as TooLarge when one is too large. Without
	// it that request alone is refused, and sending ones take turns.
	Strict bool
}

// Part is what an answer says next, in this order. It is never empty.
type Part struct {
	Streaming bool        // the answer may go on after this
	First     bool        // the answer begins with this
	Open      bool        // so does the session
	Frames    [][]byte    // see Payload; shared, must not change
	Heartbeat bool        // a sign of life
	Close     *Disconnect // the end of answer and session, whose Frame is in Frames already; Code 0: the client has asked for it or is gone
}

// Encoded is a Part as it is written.
type Encoded struct {
	Bytes []byte
	Size  int  // counts towards HTTPRules.StreamSize
	Asks  bool // the client answers this with a body that is Alive
}

// Sent is what stands in the body of a sending request.
type Sent struct {
	Messages [][]byte
	Alive    bool // a sign of life: the answer to what Asks or, when nothing did, the wish for a heartbeat
}

package server

// Reason is why a socket ended: a word in the log and a label in the metrics.
// Dialects add their own for what they refuse.
type Reason string

// Reasons that this package itself finds.
const (
	PeerClosed    Reason = "peer_closed"    // a close frame came
	PeerGone      Reason = "peer_gone"      // the connection broke or ended without one
	SlowConsumer  Reason = "slow_consumer"  // its queue was full, or it took nothing in Options.WriteTimeout
	Silent        Reason = "silent"         // no answer to a ping
	Stopping      Reason = "stopping"       // this server stops
	AddressFull   Reason = "address_full"   // too many sockets from one address
	TooLarge      Reason = "too_large"      // a message over Options.MessageBytes
	NotText       Reason = "not_text"       // a binary message
	BadUTF8       Reason = "bad_utf8"       // a text message that is none
	ProtocolError Reason = "protocol_error" // not RFC 6455, or over HTTP not what the codec takes
	Internal      Reason = "internal"       // our fault
)

// disconnects are the close codes of RFC 6455 for what is wrong below any dialect.
var disconnects = map[Reason]Disconnect{
	TooLarge:      {Code: 1009, Message: "The message is too large"},
	NotText:       {Code: 1003, Message: "Binary messages are not supported"},
	BadUTF8:       {Code: 1007, Message: "The message is not valid UTF-8"},
	ProtocolError: {Code: 1002, Message: "Not a WebSocket frame"},
	Internal:      {Code: 1011, Message: "Internal error"},
}

// Disconnect is how a socket is told why it ends: a frame of its dialect (nil:
// none), then a close frame with code and message.
type Disconnect struct {
	Reason  Reason
	Frame   []byte
	Code    int
	Message string
}

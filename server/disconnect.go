package server

// Reason is why a socket ended: a word in the log and a label in the metrics. Dialects
// add their own reasons for sockets that they refuse.
type Reason string

// Reasons that this package itself detects.
const (
	PeerClosed    Reason = "peer_closed"    // the peer sent a close frame
	PeerGone      Reason = "peer_gone"      // the connection broke or ended without a close frame
	SlowConsumer  Reason = "slow_consumer"  // its queue was full, or it accepted nothing within Options.WriteTimeout
	Silent        Reason = "silent"         // no answer to a ping
	Stopping      Reason = "stopping"       // this server stops
	Moved         Reason = "moved"          // this server stops, and another one listens
	Flood         Reason = "flood"          // too many sending requests of a session over HTTP wait
	AddressFull   Reason = "address_full"   // too many sockets from one address
	TooLarge      Reason = "too_large"      // a message over Options.MessageBytes
	NotText       Reason = "not_text"       // a binary message
	BadUTF8       Reason = "bad_utf8"       // a text message that is not valid UTF-8
	ProtocolError Reason = "protocol_error" // not RFC 6455, or over HTTP not valid for the codec
	Internal      Reason = "internal"       // an error of the server
	Upgraded      Reason = "upgraded"       // a session over HTTP goes on as a WebSocket
)

// disconnects are the close codes of RFC 6455 for errors below any dialect.
var disconnects = map[Reason]Disconnect{
	TooLarge:      {Code: 1009, Message: "The message is too large"},
	NotText:       {Code: 1003, Message: "Binary messages are not supported"},
	BadUTF8:       {Code: 1007, Message: "The message is not valid UTF-8"},
	ProtocolError: {Code: 1002, Message: "Not a WebSocket frame"},
	Internal:      {Code: 1011, Message: "Internal error"},
}

// Disconnect says how a socket is told why it ends: by a frame of its dialect (nil:
// none), then by a close frame with code and message.
type Disconnect struct {
	Reason  Reason
	Frame   []byte
	Code    int
	Message string
}

package server

import "time"

// BinaryHandler is a Handler that takes binary messages of a WebSocket. A socket of any
// other Handler is closed as NotText.
type BinaryHandler interface {
	Handler
	// Binary is called for every binary message, like Message.
	Binary(data []byte)
}

// WebSocketRules describe how the clients of a dialect behave on a WebSocket, as HTTPRules
// do for sessions over HTTP.
type WebSocketRules struct {
	MessageBytes int // most bytes of a message; 0: Options.MessageBytes
	// Pings makes Idle send the pings of a dialect: it is called PingEvery after the answer to
	// the last one, or Options.Heartbeat if that is 0, whatever else is sent. No ping of the
	// WebSocket protocol is sent, and a client that gives no sign of life for PongTimeout is
	// closed as Silent.
	Pings bool
	// PingEvery is after how long, from the answer to the last one, a ping of the WebSocket
	// protocol is sent, whatever else is sent; 0: only after Options.ActivityTimeout of silence.
	PingEvery time.Duration
	// PongTimeout is how long the client may take to answer a ping; 0: that of Options.
	PongTimeout time.Duration
}

// plainRules are those of Accept.
var plainRules = &WebSocketRules{}

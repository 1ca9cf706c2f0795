package multiwa

import "chatcast/server"

// closing is how a socket is closed, with a code for the client, a word for the log and the
// metrics, and a sentence.
type closing struct {
	code     int
	word     server.Reason
	sentence string
}

// Codes of close frames. Of errors below this protocol, such as 1003 for a binary message,
// the server package has the codes.
var (
	closeRevoked  = closing{4001, "revoked", "The API key was revoked"}
	closeSilent   = closing{4002, server.Silent, "No pong was received in time"}
	closeSlow     = closing{4008, server.SlowConsumer, "The connection is too slow for what is sent on it"}
	closeStopping = closing{1012, server.Stopping, "The server restarts, please come back"}
	closeMoved    = closing{1012, server.Moved, "The server stops, and another one takes over"}
	closeCutOff   = closing{1012, "cut_off", "The server was cut off from the others, please come back"}
	closeAddress  = closing{1013, server.AddressFull, "Too many connections from this address"}
	closeTrouble  = closing{1011, server.Internal, "Internal error"}
)

func (c closing) disconnect() server.Disconnect {
	return server.Disconnect{Reason: c.word, Code: c.code, Message: c.sentence}
}

package pusher

import "chatcast/server"

// code is one number of the protocol with its name and its sentence.
//
// Clients act on the number of a close frame, by range:
//
//	4000-4099  never again as you are: pusher-js stays disconnected
//	4100-4199  over capacity: it comes back after a second
//	4200-4299  come back at once
//	4300-4399  "other": never as a close code, it would lock the client out for good
//
// As pusher:error, in band, a number changes nothing about the connection.
type code struct {
	number   int
	word     server.Reason // in the log and the metrics
	sentence string
}

// Codes that end a socket.
var (
	codeUnknownApp   = code{4001, "unknown_app", "The application does not exist"}
	codeAppDisabled  = code{4003, "app_disabled", "The application is disabled"}
	codeAppFull      = code{4004, "app_full", "The application is over its connection quota"}
	codeUnknownPath  = code{4005, "unknown_path", "The path was not found"}
	codeBadVersion   = code{4006, "bad_version", "The protocol version is not a number"}
	codeOtherVersion = code{4007, "unsupported_version", "The protocol version is not supported: 5, 6 and 7 are"}
	codeNoVersion    = code{4008, "no_version", "No protocol version was supplied"}
	codeBadOrigin    = code{4009, "bad_origin", "This origin may not connect to the application"}
	codeAccessEnded  = code{4009, "expelled", "The user is no longer allowed to be here"}
	codeTerminated   = code{4009, "terminated", "The application has ended the connections of this user"}
	codeAuthTimeout  = code{4009, "auth_timeout", "Connection not authorized within timeout."}
	codeAddressFull  = code{4100, server.AddressFull, "Too many connections from this address"}
	codeSlow         = code{4100, server.SlowConsumer, "The connection is too slow for what is sent on it"}
	codeFlood        = code{4100, server.Flood, "Too many messages in spite of the rate limit"}
	codeStopping     = code{4100, server.Stopping, "The server restarts, please come back in a second"} // not 4200: at once there would be nobody
	codeCutOff       = code{4200, "cut_off", "The server was cut off from the others, please come back"}
	codeMoved        = code{4200, server.Moved, "The server stops, and another one takes over"}
	codeSilent       = code{4201, server.Silent, "No pong was received in time"}
)

// Codes that are sent in band.
var (
	codeUnauthorized   = code{4009, "unauthorized", "The subscription is not authorized"}
	codeBadSignIn      = code{4009, "bad_signin", "The sign-in is not authorized"}
	codeWatchlist      = code{4302, "watchlist", "The watchlist has too many users"}
	codeRejected       = code{4301, "rejected", "Client event rejected"}
	codeBadMessage     = code{4310, "bad_message", "The message is not valid"}
	codeBadChannel     = code{4311, "bad_channel", "The channel name is not valid"}
	codeTooManyChannel = code{4312, "too_many_channels", "The connection has too many channels"}
	codePresenceFull   = code{4313, "presence_full", "The presence channel has too many members"}
	codeBadMember      = code{4314, "bad_member", "The channel_data is not valid"}
	codeBadUser        = code{4315, "bad_user", "The user_data is not valid"}
)

// disconnect ends a socket with the code: first the error frame, for protocols without
// close codes, then the close frame with the same code.
func (c code) disconnect() server.Disconnect {
	return server.Disconnect{Reason: c.word, Frame: errorFrame(c.number, c.sentence), Code: c.number, Message: c.sentence}
}

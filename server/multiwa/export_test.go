package multiwa

import "time"

// What the tests from outside need of the inside.
const (
	MaxMessage  = maxMessage
	MaxProfiles = maxProfiles
)

// Prefixes are where the routes are.
var Prefixes = prefixes

// Union makes an answer of an object.
func Union(object string) string { return string(union([]byte(object))) }

// Failed returns the body of an error.
func Failed(status int, code, message string) string {
	text, err := encode(failed{StatusCode: status, Message: message, Error: errorBody{code, message}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// MessageUUID and ConversationUUID return the UUIDs of numbers.
func MessageUUID(number int64) string      { return uuid(nounMessage, number) }
func ConversationUUID(number int64) string { return uuid(nounConversation, number) }

// PingOften pings sockets that are opened from now on as often as said, and has them closed when
// they do not answer within the time, until undo is called.
func PingOften(every, within time.Duration) (undo func()) {
	before := *rules
	rules.PingEvery, rules.PongTimeout = every, within
	return func() { *rules = before }
}

package pusher

import (
	"encoding/json"
	"strconv"
	"strings"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server"
)

// The wire format of protocol 7: text frames, each one JSON object.
//
//	client                                     server
//	------                                     ------
//	GET /app/KEY?protocol=7                 -> 101
//	                                        <- pusher:connection_established  {socket_id, activity_timeout}
//	pusher:subscribe   {channel, auth?, channel_data?}
//	                                        <- pusher_internal:subscription_succeeded
//	                                           presence: with the roster, and to the others
//	                                        <- pusher_internal:member_added
//	                                     or <- pusher:error and pusher:subscription_error
//	                                        <- EVENT, as published
//	client-EVENT       (private, presence)  -> to the others of the channel
//	pusher:unsubscribe {channel}            -> no answer; to the others of a presence channel
//	                                        <- pusher_internal:member_removed
//	                                        <- pusher:subscription_error, status 403: access withdrawn
//	                                        <- pusher:cache_miss, or the last EVENT, on a cache channel
//	                                        <- pusher_internal:subscription_count, to all of a channel
//	                                        <- the EVENTs after the cursor of channel_data, or
//	                                           chatcast:resume_failed {oldestEventId, lastEventId};
//	                                           then chatcast:position {eventId}, which comes
//	                                           first if the client had no event
//	chatcast:resume    {last_event_ids?, previous_socket_id?}
//	                                        <- the same, on channels of an app with a history; also
//	                                           chatcast:next {eventId} before each of their EVENTs
//	pusher:signin      {auth, user_data}    <- pusher:signin_success {user_data}, or pusher:error
//	                                        <- pusher_internal:watchlist_events
//	pusher:ping                             <- pusher:pong
//	pusher:pong                             <- pusher:ping, after activity_timeout of silence
//	                                        <- pusher:error, then close with the same code
//
// Every frame has data. It is a STRING of JSON in connection_established,
// subscription_succeeded, member_added, member_removed, subscription_count, cache_miss,
// resume_failed, position, next, ping, pong and published events; it is an OBJECT in pusher:error, subscription_error
// (but of encrypted channels), signin_success and watchlist_events. In client events it is what the client sent, null
// if it sent none. Libraries of typed languages depend on each of these: see
// TestParsersOfLibraries.

// dialect implements broadcasting.Dialect. All sockets share one.
type dialect struct{}

var _ broadcasting.Dialect = dialect{}

// begin returns a buffer for a frame with about n bytes of payload.
func begin(n int) []byte { return make([]byte, server.HeaderRoom, server.HeaderRoom+n) }

// Event implements broadcasting.Dialect. What is only for other dialects it leaves out: the CRM alone
// numbers events with such names.
func (dialect) Event(ev broadcasting.Event) []byte {
	if ev.Seq != 0 && channels.IsInternal(ev.Name) {
		return nil
	}
	b := begin(64 + len(ev.Name) + len(ev.Channel) + len(ev.UserID) + len(ev.Data) + len(ev.Data)/6)
	b = append(b, `{"event":`...)
	b = server.AppendString(b, ev.Name)
	b = append(b, `,"channel":`...)
	b = server.AppendString(b, ev.Channel)
	b = append(b, `,"data":`...)
	switch {
	case !ev.Object:
		b = server.AppendString(b, ev.Data)
	case ev.Data == "":
		b = append(b, "null"...)
	default:
		b = append(b, ev.Data...)
	}
	if ev.UserID != "" {
		b = append(b, `,"user_id":`...)
		b = server.AppendString(b, ev.UserID)
	}
	return server.Frame(append(b, '}'))
}

// Subscribed implements broadcasting.Dialect.
func (dialect) Subscribed(channel string, members []*broadcasting.Member) []byte {
	data := "{}"
	if members != nil {
		data = roster(members)
	}
	return stringFrame("pusher_internal:subscription_succeeded", channel, data)
}

// roster returns {"presence":{"ids":[...],"hash":{id:info},"count":n}}.
func roster(members []*broadcasting.Member) string {
	b := append(make([]byte, 0, 64+128*len(members)), `{"presence":{"ids":[`...)
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = server.AppendString(b, m.ID)
	}
	b = append(b, `],"hash":{`...)
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(server.AppendString(b, m.ID), ':')
		b = appendInfo(b, m.Info)
	}
	b = append(b, `},"count":`...)
	b = strconv.AppendInt(b, int64(len(members)), 10)
	return string(append(b, "}}"...))
}

func appendInfo(b []byte, info json.RawMessage) []byte {
	if info == nil {
		return append(b, "null"...)
	}
	return append(b, info...)
}

// MemberAdded implements broadcasting.Dialect.
func (dialect) MemberAdded(channel string, m *broadcasting.Member) []byte {
	b := append([]byte(nil), `{"user_id":`...)
	b = server.AppendString(b, m.ID)
	if m.Info != nil {
		b = append(append(b, `,"user_info":`...), m.Info...)
	}
	return stringFrame("pusher_internal:member_added", channel, string(append(b, '}')))
}

// MemberRemoved implements broadcasting.Dialect.
func (dialect) MemberRemoved(channel, userID string) []byte {
	b := server.AppendString(append([]byte(nil), `{"user_id":`...), userID)
	return stringFrame("pusher_internal:member_removed", channel, string(append(b, '}')))
}

// Unsubscribed implements broadcasting.Dialect.
func (dialect) Unsubscribed(channel string) []byte {
	return subscriptionErrorFrame(channel, errorTypeAuth, "Access to the channel was withdrawn", 403)
}

// SubscriptionCount implements broadcasting.Dialect.
func (dialect) SubscriptionCount(channel string, n int) []byte {
	return stringFrame("pusher_internal:subscription_count", channel, `{"subscription_count":`+strconv.Itoa(n)+`}`)
}

// CacheMissed implements broadcasting.Dialect.
func (dialect) CacheMissed(channel string) []byte {
	return stringFrame("pusher:cache_miss", channel, "{}")
}

// ResumeFailed implements broadcasting.Dialect.
func (dialect) ResumeFailed(channel string, oldest, last int64) []byte {
	return resumeFrame("chatcast:resume_failed", channel,
		`"oldestEventId":`+strconv.FormatInt(oldest, 10)+`,"lastEventId":`+strconv.FormatInt(last, 10))
}

// Position implements broadcasting.Dialect.
func (dialect) Position(channel string, seq int64) []byte {
	return resumeFrame("chatcast:position", channel, `"eventId":`+strconv.FormatInt(seq, 10))
}

// Next implements broadcasting.Dialect.
func (dialect) Next(channel string, seq int64) []byte {
	return resumeFrame("chatcast:next", channel, `"eventId":`+strconv.FormatInt(seq, 10))
}

// resumeFrame returns an event of ours. On encrypted channels it stands beside the channel,
// which is in the data: libraries decrypt everything that is on such a channel, see
// subscriptionErrorFrame.
func resumeFrame(event, channel, fields string) []byte {
	if strings.HasPrefix(channel, "private-encrypted-") {
		b := append(begin(128+len(channel)), `{"event":"`+event+`","data":`...)
		b = server.AppendString(b, `{"channel":`+string(server.AppendString(nil, channel))+`,`+fields+`}`)
		return server.Frame(append(b, '}'))
	}
	return stringFrame(event, channel, `{`+fields+`}`)
}

// SignedIn implements broadcasting.Dialect; data is the user_data that was signed.
func (dialect) SignedIn(data string) []byte {
	b := begin(80 + len(data) + len(data)/6)
	b = append(b, `{"event":"pusher:signin_success","data":{"user_data":`...)
	b = server.AppendString(b, data)
	return server.Frame(append(b, "}}"...))
}

// WatchlistEvents implements broadcasting.Dialect. The shape is not documented;
// pusher-js passes it to pusher.user.watchlist.
func (dialect) WatchlistEvents(online bool, userIDs []string) []byte {
	b := begin(128 + 40*len(userIDs))
	b = append(b, `{"event":"pusher_internal:watchlist_events","data":{"events":[{"name":`...)
	if online {
		b = append(b, `"online"`...)
	} else {
		b = append(b, `"offline"`...)
	}
	b = append(b, `,"user_ids":[`...)
	for i, id := range userIDs {
		if i > 0 {
			b = append(b, ',')
		}
		b = server.AppendString(b, id)
	}
	return server.Frame(append(b, "]}]}}"...))
}

// stringFrame returns a message whose data is a string of JSON.
func stringFrame(event, channel, data string) []byte {
	return dialect{}.Event(broadcasting.Event{Name: event, Channel: channel, Data: data})
}

func establishedFrame(socketID string, activityTimeout int) []byte {
	b := begin(128)
	b = append(b, `{"event":"pusher:connection_established","data":`...)
	b = server.AppendString(b, `{"socket_id":"`+socketID+`","activity_timeout":`+strconv.Itoa(activityTimeout)+`}`)
	return server.Frame(append(b, '}'))
}

// Frames that are always the same.
var (
	pingFrame = server.Frame(append(begin(64), `{"event":"pusher:ping","data":"{}"}`...))
	pongFrame = server.Frame(append(begin(64), `{"event":"pusher:pong","data":"{}"}`...))
)

// errorFrame always has a number: pusher-js under node crashes on an error without a
// number that comes before connection_established.
func errorFrame(number int, message string) []byte {
	b := begin(64 + len(message))
	b = append(b, `{"event":"pusher:error","data":{"code":`...)
	b = strconv.AppendInt(b, int64(number), 10)
	b = append(b, `,"message":`...)
	b = server.AppendString(b, message)
	return server.Frame(append(b, "}}"...))
}

// Types of subscription errors.
const (
	errorTypeAuth  = "AuthError"
	errorTypeLimit = "LimitReached"
	errorTypeName  = "ChannelError"
)

// subscriptionErrorFrame is not in Pusher's documentation; pusher-js passes it to the
// channel, and Laravel Echo's error() waits for it.
//
// On encrypted channels its data is empty, and only pusher:error gives the reason: the
// Java library decrypts all other data of such a channel, and a missing ciphertext ends
// an Android app.
func subscriptionErrorFrame(channel, kind, message string, status int) []byte {
	if strings.HasPrefix(channel, "private-encrypted-") { // channels.Parse refuses some of these names
		return stringFrame("pusher:subscription_error", channel, "{}")
	}
	b := begin(128 + len(channel) + len(message))
	b = append(b, `{"event":"pusher:subscription_error","channel":`...)
	b = server.AppendString(b, channel)
	b = append(b, `,"data":{"type":`...)
	b = server.AppendString(b, kind)
	b = append(b, `,"error":`...)
	b = server.AppendString(b, message)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	return server.Frame(append(b, "}}"...))
}

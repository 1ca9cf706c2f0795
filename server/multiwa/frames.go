package multiwa

import (
	"encoding/json"
	"strconv"
	"time"

	"chatcast/server"
)

// The wire of GET /ws. Every message is one JSON object in a text frame.
//
//	client                                            server
//	------                                            ------
//	GET /ws?apiKey=KEY                             -> 401 with a JSON body, or 101 and
//	                                               <- ack {message, clientId, timestamp}
//	subscribe {profileId, events, lastEventId?}    <- ack {action: subscribed, profileId, events}
//	                                               <- with lastEventId the events after it, then
//	                                                  ack {action: replayed, profileId, lastEventId}
//	                                               <- event {event, profileId, data, timestamp, eventId}
//	unsubscribe {profileId?}                       <- ack {action: unsubscribed, profileId?}
//	ping                                           <- pong {timestamp}
//	anything else                                  <- error {error}
//
// An answer has the requestId of its message, as the client wrote it. What is beside type,
// payload and requestId in a message is ignored, so are unknown fields of the payload.

// Texts of errors. Clients compare some of them.
const (
	errorJSON          = "Invalid JSON"
	errorEvents        = "Events array is required"
	errorProfile       = "profileId or sessionId is required"
	errorNotFound      = "Profile not found"
	errorUnknownType   = "Unknown message type: "
	errorUnknownEvent  = "Unknown event: "
	errorSubscriptions = "Too many subscriptions"
	errorLastEventID   = "lastEventId must be a whole number"
	errorTooManyEvents = "Too many events"
	errorWithdrawn     = "Access to the profile was withdrawn"
	errorMissed        = "Events were missed: they are no longer kept"
	errorInternal      = "Internal error"
)

// frame returns a text frame of JSON.
func frame(v any) []byte {
	text, err := encode(v)
	if err != nil { // only what this package makes is encoded
		text = []byte(`{"type":"error","payload":{"error":"` + errorInternal + `"}}`)
	}
	return server.Frame(append(make([]byte, server.HeaderRoom, server.HeaderRoom+len(text)), text...))
}

// message is a message of the server that is not an event.
type message struct {
	Type      string          `json:"type"`
	Payload   any             `json:"payload"`
	RequestID json.RawMessage `json:"requestId,omitempty"`
}

type greeting struct {
	Message   string `json:"message"`
	ClientID  string `json:"clientId"`
	Timestamp string `json:"timestamp"`
}

type subscribed struct {
	Action    string   `json:"action"`
	ProfileID string   `json:"profileId,omitempty"`
	Events    []string `json:"events,omitzero"`
}

type replayed struct {
	Action      string `json:"action"`
	ProfileID   string `json:"profileId"`
	LastEventID int64  `json:"lastEventId"`
}

type pong struct {
	Timestamp string `json:"timestamp"`
}

type failure struct {
	Error         string `json:"error"`
	ProfileID     string `json:"profileId,omitempty"`
	OldestEventID int64  `json:"oldestEventId,omitempty"` // the first that is kept
	LastEventID   int64  `json:"lastEventId,omitempty"`   // later ones will come
}

func errorFrame(text string, request json.RawMessage) []byte {
	return frame(message{"error", failure{Error: text}, request})
}

// eventFrame returns the frame of an occurrence under a name. id is the number of the event
// in the journal; 0: it has none.
func eventFrame(name, profile string, at time.Time, id int64, data []byte) []byte {
	b := make([]byte, server.HeaderRoom, server.HeaderRoom+len(data)+len(profile)+160)
	b = append(b, `{"type":"event","payload":`...)
	return server.Frame(append(appendPayload(b, name, profile, at, id, data), '}'))
}

// appendPayload appends the payload of such a frame.
func appendPayload(b []byte, name, profile string, at time.Time, id int64, data []byte) []byte {
	b = append(b, `{"event":"`...)
	b = append(b, name...)
	b = append(b, `","profileId":"`...)
	b = append(b, profile...) // a UUID
	b = append(b, `","data":`...)
	b = append(b, data...)
	return appendTime(b, at, id)
}

// appendTime appends the end of an object that has a time and, unless it is 0, the id of an
// event.
func appendTime(b []byte, at time.Time, id int64) []byte {
	b = append(b, `,"timestamp":"`...)
	b = at.UTC().AppendFormat(b, isoTime)
	b = append(b, '"')
	if id != 0 {
		b = append(b, `,"eventId":`...)
		b = strconv.AppendInt(b, id, 10)
	}
	return append(b, '}')
}

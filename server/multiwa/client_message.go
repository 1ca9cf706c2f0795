package multiwa

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// maxListed is how many entries a list of events may have.
const maxListed = 100

// refusal is an error of a message. Its text is what the client is told.
type refusal string

func (r refusal) Error() string { return string(r) }

// clientMessage is a message from a client.
type clientMessage struct {
	Type      string
	Payload   json.RawMessage // nil: none
	RequestID json.RawMessage // as the client wrote it; nil: none
}

// parseMessage reads a message. With an error RequestID is as far as it could be read.
func parseMessage(text []byte) (m clientMessage, err error) {
	var fields struct {
		Type      json.RawMessage `json:"type"`
		Payload   json.RawMessage `json:"payload"`
		RequestID json.RawMessage `json:"requestId"`
	}
	if err := json.Unmarshal(text, &fields); err != nil || !isObject(text) {
		return m, refusal(errorJSON)
	}
	if id := fields.RequestID; len(id) > 0 && (id[0] == '"' || id[0] == '-' || '0' <= id[0] && id[0] <= '9') {
		m.RequestID = id
	}
	if fields.Payload != nil && string(fields.Payload) != "null" {
		m.Payload = fields.Payload
	}
	if json.Unmarshal(fields.Type, &m.Type) != nil { // also when there is none
		m.Type = ""
		return m, refusal(errorUnknownType + shown(fields.Type))
	}
	return m, nil
}

func isObject(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}

// shown returns a client's value as JavaScript shows it, shortened.
func shown(value json.RawMessage) string {
	if value == nil {
		return "undefined"
	}
	var text string
	if json.Unmarshal(value, &text) != nil || string(value) == "null" {
		text = string(value)
	}
	return shortened(text)
}

// shortened makes a client's text short enough to be sent back to it.
func shortened(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return string(bytes.ToValidUTF8([]byte(text[:most]), nil)) + "..."
}

// subscribeRequest is the payload of subscribe.
type subscribeRequest struct {
	profileID string // empty: not given
	events    []string
	want      eventSet
	resume    bool
	after     int64 // with resume: the last event that the client has
}

// parseSubscribe reads the payload of subscribe. Its errors are for the client.
func parseSubscribe(payload json.RawMessage) (r subscribeRequest, err error) {
	var fields struct {
		ProfileID   json.RawMessage `json:"profileId"`
		SessionID   json.RawMessage `json:"sessionId"`
		Events      json.RawMessage `json:"events"`
		LastEventID json.RawMessage `json:"lastEventId"`
	}
	if payload != nil && (json.Unmarshal(payload, &fields) != nil || !isObject(payload)) {
		return r, refusal(errorEvents)
	}
	if r.events, r.want, err = parseEvents(fields.Events); err != nil {
		return r, err
	}
	if r.profileID, err = profileOf(fields.ProfileID, fields.SessionID); err != nil {
		return r, err
	}
	r.after, r.resume, err = lastEventID(fields.LastEventID)
	return r, err
}

// parseEvents reads a list of events.
func parseEvents(text json.RawMessage) (events []string, want eventSet, err error) {
	var list []json.RawMessage
	if len(text) == 0 || json.Unmarshal(text, &list) != nil || list == nil {
		return nil, 0, refusal(errorEvents)
	}
	if len(list) > maxListed {
		return nil, 0, refusal(errorTooManyEvents)
	}
	events = make([]string, 0, len(list))
	for _, raw := range list {
		var name *string
		if json.Unmarshal(raw, &name) != nil || name == nil || !want.add(*name) {
			return nil, 0, refusal(errorUnknownEvent + shown(raw))
		}
		events = append(events, *name)
	}
	return events, want, nil
}

// parseJoin reads the argument of join and leave, and the payload of a CONNECT. Its errors are
// for the client.
func parseJoin(arg json.RawMessage) (r subscribeRequest, err error) {
	r.want = shortNames
	if len(arg) == 0 || string(arg) == "null" {
		return r, nil
	}
	if json.Unmarshal(arg, &r.profileID) == nil {
		return r, nil
	}
	var fields struct {
		ProfileID   json.RawMessage `json:"profileId"`
		SessionID   json.RawMessage `json:"sessionId"`
		Events      json.RawMessage `json:"events"`
		LastEventID json.RawMessage `json:"lastEventId"`
	}
	if !isObject(arg) || json.Unmarshal(arg, &fields) != nil {
		return r, refusal(errorProfile)
	}
	if len(fields.Events) > 0 && string(fields.Events) != "null" {
		if r.events, r.want, err = parseEvents(fields.Events); err != nil {
			return r, err
		}
	}
	if r.profileID, err = profileOf(fields.ProfileID, fields.SessionID); err != nil {
		return r, refusal(errorForbidden)
	}
	r.after, r.resume, err = lastEventID(fields.LastEventID)
	return r, err
}

// parseUnsubscribe reads the payload of unsubscribe: the profile; empty: all.
func parseUnsubscribe(payload json.RawMessage) (profileID string, err error) {
	var fields struct {
		ProfileID json.RawMessage `json:"profileId"`
		SessionID json.RawMessage `json:"sessionId"`
	}
	if payload == nil {
		return "", nil
	}
	if json.Unmarshal(payload, &fields) != nil || !isObject(payload) {
		return "", refusal(errorProfile)
	}
	return profileOf(fields.ProfileID, fields.SessionID)
}

// profileOf returns the first of the two that is given, empty if none is. One that is no
// string names no profile.
func profileOf(ids ...json.RawMessage) (string, error) {
	for _, raw := range ids {
		if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
			continue
		}
		var id string
		if json.Unmarshal(raw, &id) != nil {
			return "", refusal(errorNotFound)
		}
		return id, nil
	}
	return "", nil
}

// lastEventID reads a number, which may be written as a string.
func lastEventID(raw json.RawMessage) (id int64, given bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return 0, false, nil
	}
	text := string(raw)
	if raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return 0, false, refusal(errorLastEventID)
	}
	id, err = strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, false, refusal(errorLastEventID)
	}
	return id, true, nil
}

package pusher

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Fields of /broadcasting/auth with which a client resumes a channel.
const (
	fieldLastEventID  = "last_event_id"  // the last event that it has, of any channel
	fieldLastEventIDs = "last_event_ids" // the same by channel, as a JSON object, also an empty one; it goes first

	// fieldPreviousID is the id of the socket that the client had before. What that one
	// provably got is not replayed, even if the last event id is older.
	fieldPreviousID = "previous_socket_id"
)

// cursorNow is the cursor of a client that resumes, and has no event of the channel yet.
const cursorNow = "now"

// readCursor returns the cursor that the fields name for the channel, cursorNow if they name
// other channels alone, or "". A field that is empty, and null in an object, counts as absent.
func readCursor(fields map[string]string, channel string) (string, error) {
	every, err := cursorField(fieldLastEventID, fields[fieldLastEventID])
	if err != nil {
		return "", err
	}
	byChannel := fields[fieldLastEventIDs]
	if byChannel == "" {
		return every, nil
	}
	text, err := valueOf(byChannel, channel)
	switch {
	case err != nil:
		return "", err
	case text != "" && text != "null":
		return cursorField(fieldLastEventIDs, text)
	case every == "":
		return cursorNow, nil
	}
	return every, nil
}

// valueOf returns the number, or string, that a JSON object has for the name, or "". Names
// of channels, unlike those of fields, may differ by case alone.
func valueOf(object, name string) (text string, err error) {
	if first := strings.TrimLeft(object, " \t\r\n"); !json.Valid([]byte(object)) || first[0] != '{' {
		return "", invalidField(fieldLastEventIDs, "must be a JSON object with the last event id of each channel")
	}
	var found json.RawMessage
	in := json.NewDecoder(strings.NewReader(object))
	_, _ = in.Token() // the brace; what follows is valid
	for in.More() {
		key, _ := in.Token()
		var value json.RawMessage
		_ = in.Decode(&value)
		switch {
		case key != name:
		case found != nil:
			return "", invalidField(fieldLastEventIDs, "has the channel twice")
		default:
			found = value
		}
	}
	return string(bytes.Trim(found, `"`)), nil
}

func cursorField(field, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	after, ok := parseCursor(text)
	if !ok {
		return "", invalidField(field, "must be a decimal number, the eventId of an event")
	}
	return formatCursor(after), nil
}

package pusher

import (
	"encoding/json"
	"errors"
	"strconv"
)

// A socket resumes a channel of the CRM with the cursor that /broadcasting/auth has signed
// into its channel_data: the number of the last event that the client has.
//
//	{"cursor":"123"}                                    a private channel
//	{"user_id":"685","user_info":{…},"cursor":"123"}    a presence channel
//	{"cursor":"123","begins":true}                      the client has no event: it begins here
//
// The backend of another app may sign one for a channel with a history, in the same way,
// and "now" in place of a number.

// cursor is where a subscription begins.
type cursor struct {
	After  string `json:"cursor,omitempty"` // empty: with what comes
	Begins bool   `json:"begins,omitempty"` // the client learns it from the subscription
}

// formatCursor returns the cursor as it stands in channel_data. It is a string, because
// numbers of JavaScript end at 2^53.
func formatCursor(after int64) string { return strconv.FormatInt(after, 10) }

// cursorOf returns the cursor of a channel_data whose signature was verified. It is empty if
// there is none.
func cursorOf(channelData string) cursor {
	var data cursor
	if channelData == "" || json.Unmarshal([]byte(channelData), &data) != nil {
		return cursor{}
	}
	return data
}

// errBadCursor refuses what a backend has signed: its page would miss events without a hint.
var errBadCursor = errors.New(`channel_data: cursor must be the id of an event, in digits, or "now"`)

// appCursorOf is cursorOf for what the backend of an app has signed, which may be a number of
// JSON too.
func appCursorOf(channelData string) (cursor, error) {
	var data struct {
		After  json.RawMessage `json:"cursor"`
		Begins bool            `json:"begins"`
	}
	if channelData == "" || json.Unmarshal([]byte(channelData), &data) != nil || len(data.After) == 0 || string(data.After) == "null" {
		return cursor{}, nil
	}
	from := cursor{After: string(data.After), Begins: data.Begins}
	if from.After[0] == '"' {
		from.After = ""
		_ = json.Unmarshal(data.After, &from.After) // it was valid above
	}
	if _, ok := parseCursor(from.After); !ok && from.After != resumeNow {
		return cursor{}, errBadCursor
	}
	return from, nil
}

// parseCursor reads a number of an event, in decimal digits alone.
func parseCursor(s string) (after int64, ok bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

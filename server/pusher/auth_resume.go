package pusher

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"chatcast/broadcasting"
)

// Fields of /broadcasting/auth with which a client resumes a channel.
const (
	fieldLastEventID  = "last_event_id"  // the last event that it has, of any channel
	fieldLastEventIDs = "last_event_ids" // the same by channel, as a JSON object, also an empty one; it goes first

	// fieldPreviousID is the id of the socket that the client had before. What that one
	// provably got is not replayed, even if the last event id is older. A client that names
	// no event at all resumes from there. It is empty for the first socket of such a client.
	fieldPreviousID = "previous_socket_id"
)

// Places to resume from that are not events. resumeNow is also what a client may give in
// last_event_ids.
const (
	resumeNow      = "now"      // the client wants what comes
	resumeNone     = "none"     // the client has no event of the channel yet
	resumePrevious = "previous" // the client knows the socket that it had before, and no event
)

// cursorUnknown is a cursor that no journal reaches. Who has it hears that the channel
// cannot be resumed.
const cursorUnknown = math.MaxInt64

// place returns the cursor of a client.
func (a *Authorizer) place(ctx context.Context, who Session, form *authForm) (cursor, error) {
	var had broadcasting.Progress
	known := false
	if form.previousID != "" {
		had, known = a.Grants.Received(ctx, a.App.ID, form.previousID, who.owner().UserID, form.channel.Full)
	}
	switch form.resume {
	case "":
		return cursor{}, nil
	case resumeNow:
		return a.now(ctx)
	case resumeNone: // its connection may have been cut before it was told where it began
		if known {
			return cursor{After: formatCursor(had.Seq), Begins: true}, nil
		}
		return a.now(ctx)
	case resumePrevious:
		if !known {
			had.Seq = cursorUnknown
		}
		return cursor{After: formatCursor(had.Seq)}, nil
	}
	after, _ := parseCursor(form.resume)
	if known && had.Confirmed {
		after = max(after, had.Seq)
	}
	return cursor{After: formatCursor(after)}, nil
}

// now returns the cursor of a client that begins with what is published from now on.
func (a *Authorizer) now(ctx context.Context) (cursor, error) {
	if a.Journal == nil {
		return cursor{}, nil
	}
	seq, err := a.Journal.Position(ctx)
	return cursor{After: formatCursor(seq), Begins: true}, err
}

// readResume returns the number that the fields name for the channel, resumeNow if they say
// so, resumeNone if they name other channels alone, or "". A field that is empty, and null in an object, counts as absent.
func readResume(fields map[string]string, channel string) (string, error) {
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
	case text == resumeNow:
		return resumeNow, nil
	case text != "" && text != "null":
		return cursorField(fieldLastEventIDs, text)
	case every == "":
		return resumeNone, nil
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
	return strings.Trim(string(found), `"`), nil
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

package pusher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// resumption is what a client has said in chatcast:resume: it wants to resume the channels
// of its app that it subscribes to from now on, where those have a history.
type resumption struct {
	after    map[string]int64 // by channel; those that were subscribed to are no longer in it
	previous string           // its socket before this one; empty: it has not said
}

// parseResumption reads the data of chatcast:resume. Ids may be strings, because those of
// other programs than ours may be too large for JavaScript.
func parseResumption(data json.RawMessage) (*resumption, error) {
	var fields struct {
		IDs      map[string]json.RawMessage `json:"last_event_ids"`
		Previous string                     `json:"previous_socket_id"`
	}
	if err := decode(data, &fields, "data"); err != nil {
		return nil, err
	}
	if fields.Previous != "" && !ValidSocketID(fields.Previous) {
		return nil, errors.New("data.previous_socket_id must be digits, a dot and digits")
	}
	r := &resumption{after: make(map[string]int64, len(fields.IDs)), previous: fields.Previous}
	for channel, id := range fields.IDs {
		if string(id) == "null" {
			continue
		}
		after, ok := parseCursor(string(bytes.Trim(id, `"`)))
		if !ok {
			return nil, fmt.Errorf("data.last_event_ids: the id of %s must be a decimal number", shortened(channel))
		}
		r.after[channel] = after
	}
	return r, nil
}

// prepareResume handles chatcast:resume.
func (k *socket) prepareResume(m message) {
	r, err := parseResumption(m.Data)
	if err != nil {
		k.sendError(codeBadMessage, "chatcast:resume: "+err.Error())
		return
	}
	k.resume = r
}

// resumes completes a subscription to a channel of the app that has a history. Its cursor
// is in channel_data, which the app's backend has signed, or else in chatcast:resume. The
// client chooses the latter, so a channel may be set not to take it.
func (k *socket) resumes(want *broadcasting.SubscribeRequest, name channels.Name, channelData string) {
	app, history := k.app(), k.srv.opt.History
	if len(app.history) == 0 || history == nil || name.Cache {
		return
	}
	keep, signed := app.history.Of(name.Full)
	if keep == 0 {
		return
	}
	want.After, want.Resume, want.Begin = history.Position(), k.resume != nil, true
	if k.resume != nil {
		if after, named := k.resume.after[name.Full]; named && !signed {
			want.After, want.Begin = after, false
		}
		delete(k.resume.after, name.Full) // what it gets from now on, the client knows better
		want.Previous = k.resume.previous
	}
	if !name.Guarded() {
		return // nobody has signed it
	}
	from := cursorOf(channelData)
	after, ok := parseCursor(from.After)
	switch {
	case from.After == resumeNow:
		want.Resume = true
	case ok:
		want.After, want.Resume, want.Begin = after, true, from.Begins
	}
}

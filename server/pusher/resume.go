package pusher

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// resumption is what a client has said in chatcast:resume: it wants to resume the channels
// of its app that it subscribes to from now on, where those have a history.
type resumption struct {
	after    map[string]int64 // by channel; those that were subscribed to are no longer in it
	previous string           // its socket before this one; empty: it has not said
}

// add reads the data of chatcast:resume, which may come in parts. Ids may be strings, because
// those of other programs than ours may be too large for JavaScript. Channels that the app
// keeps no history of are left out. After an error r is as it was.
func (r *resumption) add(data json.RawMessage, app *App) error {
	var fields struct {
		IDs      map[string]json.RawMessage `json:"last_event_ids"`
		Previous string                     `json:"previous_socket_id"`
	}
	if err := decode(data, &fields, "data"); err != nil {
		return err
	}
	if fields.Previous != "" && !ValidSocketID(fields.Previous) {
		return errors.New("data.previous_socket_id must be digits, a dot and digits")
	}
	next := maps.Clone(r.after)
	for channel, id := range fields.IDs {
		if string(id) == "null" {
			continue
		}
		after, ok := parseCursor(string(bytes.Trim(id, `"`)))
		if !ok {
			return fmt.Errorf("data.last_event_ids: the id of %s must be a decimal number", shortened(channel))
		}
		if keep, _ := app.history.Of(channel); keep > 0 {
			next[channel] = after
		}
	}
	if most := app.Limits.ChannelsPerSocket; len(next) > most {
		return fmt.Errorf("data.last_event_ids: a connection can have %d channels", most)
	}
	r.after, r.previous = next, cmp.Or(fields.Previous, r.previous)
	return nil
}

// prepareResume handles chatcast:resume.
func (k *socket) prepareResume(m message) {
	r := k.resume
	if r == nil {
		r = &resumption{after: map[string]int64{}}
	}
	if err := r.add(m.Data, k.app()); err != nil {
		k.sendError(codeBadMessage, "chatcast:resume: "+err.Error())
		return
	}
	k.resume = r
}

// resumed notes that the socket is in a channel: what it gets from now on, the client knows
// better.
func (k *socket) resumed(channel string) {
	if k.resume != nil {
		delete(k.resume.after, channel)
	}
}

// resumes completes a subscription to a channel of the app that has a history. Its cursor
// is in channel_data, which the app's backend has signed, or else in chatcast:resume. The
// client chooses the latter, so a channel may be set not to take it. The error is for the
// backend.
func (k *socket) resumes(want *broadcasting.SubscribeRequest, name channels.Name, channelData string) error {
	app, history := k.app(), k.srv.opt.History
	if len(app.history) == 0 || history == nil || name.Cache {
		return nil
	}
	keep, signed := app.history.Of(name.Full)
	if keep == 0 {
		return nil
	}
	want.After, want.Resume, want.Begin = history.Position(), k.resume != nil, true
	if k.resume != nil {
		if after, named := k.resume.after[name.Full]; named && !signed {
			want.After, want.Begin = after, false
		}
		want.Previous = k.resume.previous
	}
	if !name.Guarded() {
		return nil // nobody has signed it
	}
	from, err := appCursorOf(channelData)
	after, ok := parseCursor(from.After)
	switch {
	case from.After == resumeNow:
		want.Resume = true
	case ok:
		want.After, want.Resume, want.Begin = after, true, from.Begins
	}
	return err
}

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"chatcast/models"
)

// Authorize asks for the socket's permission to enter a channel with more fields.
func (c *Client) Authorize(socketID, channel string, fields map[string]any) (auth, channelData string) {
	c.T.Helper()
	body := map[string]any{"socket_id": socketID, "channel_name": channel}
	for k, v := range fields {
		body[k] = v
	}
	status, answer := c.Call("POST", "/broadcasting/auth", body)
	var signed struct {
		Auth        string
		ChannelData string `json:"channel_data"`
	}
	if err := json.Unmarshal(answer, &signed); err != nil || status != http.StatusOK {
		c.T.Fatalf("/broadcasting/auth for %s: %d %s", channel, status, answer)
	}
	return signed.Auth, signed.ChannelData
}

// Resume opens a socket and subscribes it to a channel, after the event that the fields of
// /broadcasting/auth name.
func (c *Client) Resume(channel string, fields map[string]any) *Socket {
	c.T.Helper()
	ws, socketID := ConnectSocket(c.T, c.Base)
	auth, data := c.Authorize(socketID, channel, fields)
	ws.Enter(channel, auth, data)
	return ws
}

// Enter subscribes the socket and expects the answer.
func (s *Socket) Enter(channel, auth, channelData string) {
	s.t.Helper()
	err := s.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": channel, "auth": auth, "channel_data": channelData}})
	var succeeded struct{ Event string }
	if err := errors.Join(err, s.ReadJSON(&succeeded)); err != nil || succeeded.Event != "pusher_internal:subscription_succeeded" {
		s.t.Fatalf("subscribing to %s: %v %v", channel, succeeded, err)
	}
}

// EventIDs reads n events and returns their numbers. It does not check their shape, which
// takes long for many.
func (s *Socket) EventIDs(n int) (ids []int64) {
	s.t.Helper()
	for range n {
		var frame struct{ Event, Data string }
		var data Payload
		s.skipPing(&frame)
		if err := errors.Join(json.Unmarshal([]byte(frame.Data), &data)); err != nil || data.Payload.Meta.EventID == 0 {
			s.t.Fatalf("after %d of %d events: %+v, %v", len(ids), n, frame, err)
		}
		ids = append(ids, data.Payload.Meta.EventID)
	}
	return ids
}

// Position reads the position that ends a replay.
func (s *Socket) Position() int64 {
	s.t.Helper()
	var frame struct{ Event, Data string }
	var at struct{ EventID int64 }
	if err := s.Conn.ReadJSON(&frame); err != nil || frame.Event != positionEvent || json.Unmarshal([]byte(frame.Data), &at) != nil {
		s.t.Fatalf("instead of a position: %+v, %v", frame, err)
	}
	return at.EventID
}

const positionEvent = "chatcast:position"

// skipPing reads a frame, the next one if it is the position or the ping after a replay. It
// does not answer that.
func (s *Socket) skipPing(frame *struct{ Event, Data string }) {
	s.t.Helper()
	for frame.Event = "pusher:ping"; frame.Event == "pusher:ping" || frame.Event == positionEvent; {
		if err := s.Conn.ReadJSON(frame); err != nil {
			s.t.Fatal(err)
		}
	}
}

// LastEventID returns the newest number of the journal.
func (c *Client) LastEventID() int64 {
	c.T.Helper()
	var page struct{ LastID int64 }
	c.Must("GET", "/v1/events?newest=true&limit=1&channel="+LineChannel, nil, &page)
	return page.LastID
}

// Silence expects that no frame is on its way: it would come before the pong.
func (s *Socket) Silence() {
	s.t.Helper()
	var frame struct{ Event, Data string }
	if err := s.WriteJSON(map[string]any{"event": "pusher:ping", "data": map[string]any{}}); err != nil {
		s.t.Fatal(err)
	}
	if s.skipPing(&frame); frame.Event != "pusher:pong" {
		s.t.Errorf("instead of a pong: %+v", frame)
	}
}

// Journal commits n events of the line's channel, as if an operator had read a chat n
// times.
func (r *Running) Journal(c *Client, n int) { r.JournalLarge(c, n, 0) }

// JournalLarge is Journal with events of at least so many bytes.
func (r *Running) JournalLarge(c *Client, n, size int) {
	c.T.Helper()
	data := `{"payload":{"data":[{"chat":{"id":"79990001122@c.us` + strings.Repeat("x", size) + `"},"edited":{"id":685}}],"meta":{"type":"chatRead","licenseId":1229,"messengerType":"grWhatsApp"}}}`
	err := r.Components().Store.Tx(c.T.Context(), func(tx *models.Tx) error {
		for range n {
			e := &models.JournalEntry{CompanyID: 2224, Name: "chatRead", Channels: `["` + LineChannel + `"]`, Data: data, CreatedAtMS: 1}
			if err := tx.AppendJournal(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.T.Error(err)
	}
	r.Components().Rules.Live.Wake()
}

// Consecutive checks that the numbers go from one to another, each once.
func Consecutive(ids []int64, from, to int64) error {
	for i, id := range ids {
		if id != from+int64(i) {
			return fmt.Errorf("%d after %d events from %d on", id, i, from)
		}
	}
	if last := from + int64(len(ids)) - 1; last != to {
		return errors.New(strings.TrimSpace(fmt.Sprintln("the last is", last, "and not", to)))
	}
	return nil
}

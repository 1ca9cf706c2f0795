package program_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// cutPage is a page whose connection is cut at a frame. It knows what a page knows: the
// frames that it has read.
type cutPage struct {
	t      *testing.T
	p      *e2e.Running
	c      *e2e.Client
	fields func(p *cutPage) map[string]any // of its next authorization

	socket, previous string
	last             int64 // -1: it has no event and no position
	ids              []int64
	pongs            int
	ws               *e2e.Socket
	sockets          int // of the server, before this one
}

// authorize connects, and gets the permission to enter the line's channel.
func (c *cutPage) authorize() (enter func()) {
	c.t.Helper()
	c.sockets = c.p.Components().Engine.Stats().Sockets
	c.previous = c.socket
	c.ws, c.socket = e2e.ConnectSocket(c.t, c.p.Base)
	auth, data := c.c.Authorize(c.socket, e2e.LineChannel, c.fields(c))
	return func() {
		c.t.Helper()
		c.send("pusher:subscribe", map[string]any{"channel": e2e.LineChannel, "auth": auth, "channel_data": data})
	}
}

func (c *cutPage) send(event string, data map[string]any) {
	c.t.Helper()
	if err := c.ws.WriteJSON(map[string]any{"event": event, "data": data}); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads a frame, and returns its event.
func (c *cutPage) frame() string {
	c.t.Helper()
	var frame struct{ Event, Data string }
	if err := errors.Join(c.ws.SetReadDeadline(time.Now().Add(testwait.Long)), c.ws.Conn.ReadJSON(&frame)); err != nil {
		c.t.Fatalf("after %d events: %v", len(c.ids), err)
	}
	switch frame.Event {
	case "pusher_internal:subscription_succeeded":
	case "chatcast:position":
		var at struct{ EventID int64 }
		if err := json.Unmarshal([]byte(frame.Data), &at); err != nil || at.EventID < c.last {
			c.t.Errorf("the position is %s, %v, after %d", frame.Data, err, c.last)
		}
		c.last = at.EventID
	case "pusher:ping":
		c.send("pusher:pong", map[string]any{})
		c.pongs++
	default:
		var data e2e.Payload
		if err := json.Unmarshal([]byte(frame.Data), &data); err != nil || data.Payload.Meta.EventID == 0 {
			c.t.Fatalf("after %d events: %+v, %v", len(c.ids), frame, err)
		}
		c.last = data.Payload.Meta.EventID
		c.ids = append(c.ids, c.last)
	}
	return frame.Event
}

// cut ends the connection, and waits until the server knows.
func (c *cutPage) cut() {
	c.t.Helper()
	c.ws.Close()
	testwait.Count(c.t, "ended sockets", 1, func() int {
		if c.p.Components().Engine.Stats().Sockets <= c.sockets {
			return 1
		}
		return 0
	})
}

// TestResumeCutAfterEachFrame cuts a replay after each of its frames: before the first one,
// after the answer, after each event, after the position and after the ping. The page comes
// back with what it knows, and ends up with all events in order. Each comes once; if the
// page names no event but its socket, those after the last ping that it answered may come
// twice, under the same ids.
func TestResumeCutAfterEachFrame(t *testing.T) {
	const missed = 40
	for name, test := range map[string]struct {
		fields func(p *cutPage) map[string]any
		begins bool // the page has no event at first
		twice  bool // events may come twice
	}{
		"last_event_id": {func(p *cutPage) map[string]any { return map[string]any{"last_event_id": p.last} }, false, false},
		"no event yet": {func(p *cutPage) map[string]any {
			return map[string]any{"last_event_ids": idsOf(p), "previous_socket_id": p.previous}
		}, true, false},
		"previous_socket_id": {func(p *cutPage) map[string]any { return map[string]any{"previous_socket_id": p.previous} }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, owner := online(t, e2e.Config(t))
			before, end := journalled(t, p, owner, missed)
			const frames = 1 + missed + 1 + 1 // the answer, the events, the position, the ping
			for k := range frames + 1 {
				page := &cutPage{t: t, p: p, c: owner, fields: test.fields, last: before}
				if test.begins {
					page.last = -1
				}
				published(t, p, end)
				enter := page.authorize()
				if test.begins {
					before, end = end, end+missed
					p.Journal(owner, missed)
					published(t, p, end)
				}
				enter()
				for range k {
					page.frame()
				}
				page.cut()
				answered := page.pongs > 0
				page.authorize()()
				for page.frame() != "pusher:ping" {
				}
				page.ws.Silence()
				page.cut()
				if test.twice && !answered {
					slices.Sort(page.ids)
					page.ids = slices.Compact(page.ids)
				}
				if err := e2e.Consecutive(page.ids, before+1, end); err != nil {
					t.Errorf("cut after %d frames: %v", k, err)
				}
			}
		})
	}
}

// idsOf returns the page's last_event_ids.
func idsOf(p *cutPage) map[string]any {
	if p.last < 0 {
		return map[string]any{}
	}
	return map[string]any{e2e.LineChannel: p.last}
}

// TestResumeBeginsAtOnce checks that a page without an event is told its position before
// what comes, so that it can go on from there however early it is cut.
func TestResumeBeginsAtOnce(t *testing.T) {
	p, owner := online(t, e2e.Config(t))
	_, end := journalled(t, p, owner, 3)
	ws, id := e2e.ConnectSocket(t, p.Base)
	auth, data := owner.Authorize(id, e2e.LineChannel, map[string]any{"last_event_ids": map[string]any{}})
	journalled(t, p, owner, 3)
	ws.Enter(e2e.LineChannel, auth, data)
	if at := ws.Position(); at > end {
		t.Errorf("the position is %d, and it was %d when the page was let in", at, end)
	}
	var last int64
	for last < end+3 {
		last = ws.EventIDs(1)[0]
	}
	ws.Silence()
}

// TestResumeOfAnUnknownSocket checks that a page that names no event, and a socket of which
// nothing is known, is told that something may be missing.
func TestResumeOfAnUnknownSocket(t *testing.T) {
	p, owner := online(t, e2e.Config(t))
	_, end := journalled(t, p, owner, 3)
	bea, user := owner.Hire(p)
	_, others := e2e.ConnectSocket(t, p.Base)
	bea.Authorize(others, fmt.Sprintf("private-v1.companies.2224.users.%d", user), map[string]any{"last_event_ids": map[string]any{}})
	_, plain := e2e.ConnectSocket(t, p.Base)
	end = max(end, owner.LastEventID())
	for name, socket := range map[string]string{"nobody's": "1.1", "another person's": others, "one that did not subscribe": plain} {
		ws := owner.Resume(e2e.LineChannel, map[string]any{"previous_socket_id": socket})
		var frame struct{ Event, Data string }
		if err := ws.Conn.ReadJSON(&frame); err != nil || frame.Event != "chatcast:resume_failed" {
			t.Errorf("%s: %+v, %v", name, frame, err)
		}
		if at := ws.Position(); at < end {
			t.Errorf("%s: the position is %d, want %d", name, at, end)
		}
		ws.Close()
	}
}

// TestResumeInALoop checks that a client that subscribes to a long replay again and again,
// and reads nothing, keeps nobody waiting.
func TestResumeInALoop(t *testing.T) {
	cfg := e2e.Config(t)
	p, owner := online(t, cfg)
	const missed = 2000
	before := owner.LastEventID()
	p.JournalLarge(owner, missed, 1500)
	testwait.Count(t, "published events", int(before)+missed, func() int { return int(owner.LastEventID()) })
	hostile, id := e2e.ConnectSocket(t, p.Base)
	auth, data := owner.Authorize(id, e2e.LineChannel, map[string]any{"last_event_id": 0})
	entry := map[string]string{"channel": e2e.LineChannel, "auth": auth, "channel_data": data}
	for range 400 {
		for _, event := range []string{"pusher:subscribe", "pusher:unsubscribe"} {
			if err := hostile.WriteJSON(map[string]any{"event": event, "data": entry}); err != nil {
				t.Fatal(err)
			}
		}
	}
	quick := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": before})
	if err := e2e.Consecutive(quick.EventIDs(missed), before+1, before+missed); err != nil {
		t.Error(err)
	}
	p.Journal(owner, 1)
	if err := e2e.Consecutive(quick.EventIDs(1), before+missed+1, before+missed+1); err != nil {
		t.Error(err)
	}
	for _, c := range p.Components().Sockets.Connz() {
		if c.QueuedBytes > cfg.Limits.QueueBytes {
			t.Errorf("%d bytes wait for a socket", c.QueuedBytes)
		}
	}
}

package program_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models/testdb"
)

// online starts the program with its owner online, so that the line's events have numbers
// without gaps.
func online(t *testing.T, cfg config.Config) (*e2e.Running, *e2e.Client) {
	t.Helper()
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	owner.GoOnline(685)
	return p, owner
}

func onlineOn(t *testing.T, url string) (*e2e.Running, *e2e.Client) {
	t.Helper()
	cfg := e2e.Config(t)
	cfg.Database.URL = url
	return online(t, cfg)
}

// journalled causes n events, and returns when all are published: the numbers of the last
// one before, and of the last one.
func journalled(t *testing.T, p *e2e.Running, c *e2e.Client, n int) (before, after int64) {
	t.Helper()
	before = c.LastEventID()
	ws := c.Subscribe(e2e.LineChannel)
	p.Journal(c, n)
	ids := ws.EventIDs(n)
	if err := e2e.Consecutive(ids, before+1, before+int64(n)); err != nil {
		t.Fatal(err)
	}
	return before, before + int64(n)
}

// published waits until the journal is marked published up to an event.
func published(t *testing.T, p *e2e.Running, end int64) {
	t.Helper()
	testwait.Count(t, "published events", int(end), func() int {
		n, err := crm.History{Service: p.Components().Rules}.Position(t.Context())
		if err != nil {
			t.Error(err)
		}
		return int(n)
	})
}

// TestResume checks that a socket that names its last event gets exactly the later ones,
// then what comes, whichever way it names it, on both databases.
func TestResume(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		p, owner := onlineOn(t, url)
		before, end := journalled(t, p, owner, 700)
		for name, fields := range map[string]map[string]any{
			"last_event_id":       {"last_event_id": before},
			"as text":             {"last_event_id": fmt.Sprint(before)},
			"by channel":          {"last_event_id": 1 << 60, "last_event_ids": map[string]any{e2e.LineChannel: before}},
			"by channel, as text": {"last_event_ids": fmt.Sprintf(`{%q:"%d"}`, e2e.LineChannel, before)},
		} {
			ws := owner.Resume(e2e.LineChannel, fields)
			if err := e2e.Consecutive(ws.EventIDs(700), before+1, end); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			ws.Silence()
			ws.Close()
		}
		plain, resumed := owner.Resume(e2e.LineChannel, nil), owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": end})
		testwait.Count(t, "resumed sockets", 5, func() int { return int(p.Components().Engine.Stats().Resumed) })
		p.Journal(owner, 3)
		for _, ws := range []*e2e.Socket{plain, resumed} {
			if err := e2e.Consecutive(ws.EventIDs(3), end+1, end+3); err != nil {
				t.Error(err)
			}
			ws.Silence()
		}
		if st := p.Components().Engine.Stats(); st.Resumed != 5 || st.Replayed != 4*700 || st.ResumeFailed != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// TestResumeOfAQuietChannel checks that a client whose channel has had no event can resume
// too, because it is told where it began. Who does not ask is told nothing.
func TestResumeOfAQuietChannel(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		p, owner := onlineOn(t, url)
		_, end := journalled(t, p, owner, 3)
		published(t, p, end)
		quiet := owner.Resume(e2e.LineChannel, map[string]any{"last_event_ids": map[string]any{}})
		if at := quiet.Position(); at != end {
			t.Errorf("the position is %d, want %d", at, end)
		}
		quiet.Silence()
		quiet.Close() // before its first event
		p.Journal(owner, 2)
		published(t, p, end+2) // what is numbered later comes behind the position
		again := owner.Resume(e2e.LineChannel, map[string]any{"last_event_ids": map[string]any{e2e.LineChannel: end}})
		if err := e2e.Consecutive(again.EventIDs(2), end+1, end+2); err != nil {
			t.Error(err)
		}
		if at := again.Position(); at != end+2 {
			t.Errorf("the position is %d, want %d", at, end+2)
		}
		plain := owner.Resume(e2e.LineChannel, map[string]any{"last_event_ids": ""})
		p.Journal(owner, 1)
		var frame struct{ Event, Data string }
		if err := plain.Conn.ReadJSON(&frame); err != nil || frame.Event != "chatRead" {
			t.Errorf("a plain socket got %+v, %v", frame, err)
		}
	})
}

// TestResumeWhileEventsArePublished cuts connections again and again while events are
// committed. A client that always names its last event gets all, once, in order.
func TestResumeWhileEventsArePublished(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		p, owner := onlineOn(t, url)
		const rounds, each = 25, 40
		first := owner.LastEventID()
		written := make(chan struct{})
		go func() {
			defer close(written)
			for range rounds {
				p.Journal(owner, each)
			}
		}()
		var got []int64
		for n := 1; len(got) < rounds*each; n = n%23 + 1 {
			ws := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": first + int64(len(got))})
			got = append(got, ws.EventIDs(min(n*3, rounds*each-len(got)))...)
			ws.Close()
		}
		<-written
		if err := e2e.Consecutive(got, first+1, first+rounds*each); err != nil {
			t.Error(err)
		}
	})
}

// TestResumeOfASlowReader checks that a client that is slow to read 10,000 missed events
// holds up nobody, fills only a part of its queue, and gets all in the end.
func TestResumeOfASlowReader(t *testing.T) {
	cfg := e2e.Config(t)
	p, owner := online(t, cfg)
	const missed, size, more = 3000, 5000, 20 // more bytes than the kernel takes for a socket
	before := owner.LastEventID()
	for range 10 {
		p.JournalLarge(owner, missed/10, size)
	}
	testwait.Count(t, "published events", int(before)+missed, func() int { return int(owner.LastEventID()) })
	slow := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": before})
	quick := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": before + missed})
	ids := quick.EventIDs // of what is published while the slow one does not read
	for i := range int64(more) {
		p.Journal(owner, 1)
		if err := e2e.Consecutive(ids(1), before+missed+i+1, before+missed+i+1); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range p.Components().Sockets.Connz() {
		if c.QueuedBytes > cfg.Limits.QueueBytes/2+size+4096 {
			t.Errorf("%d bytes wait for a socket", c.QueuedBytes)
		}
	}
	if st := p.Components().Engine.Stats(); st.Replayed >= missed {
		t.Errorf("%d events are replayed to a client that does not read", st.Replayed)
	}
	if err := e2e.Consecutive(slow.EventIDs(missed+more), before+1, before+missed+more); err != nil {
		t.Error(err)
	}
	slow.Silence()
}

// TestResumeAfterThePreviousSocket checks that a client whose last event id never changes
// does not get again what its previous socket has confirmed, and loses nothing else.
func TestResumeAfterThePreviousSocket(t *testing.T) {
	p, owner := online(t, e2e.Config(t))
	before, end := journalled(t, p, owner, 5)
	ws, id := e2e.ConnectSocket(t, p.Base)
	auth, data := owner.Authorize(id, e2e.LineChannel, map[string]any{"last_event_id": before})
	ws.Enter(e2e.LineChannel, auth, data)
	if err := e2e.Consecutive(ws.EventIDs(5), before+1, end); err != nil {
		t.Error(err)
	}
	if at := ws.Position(); at != end {
		t.Errorf("the position is %d, want %d", at, end)
	}
	var ping struct{ Event string }
	if err := ws.ReadJSON(&ping); err != nil || ping.Event != "pusher:ping" {
		t.Fatalf("after the replay: %+v, %v", ping, err)
	}
	if err := ws.WriteJSON(map[string]any{"event": "pusher:pong", "data": map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	ws.Silence() // the pong was read
	p.Journal(owner, 2)
	ws.EventIDs(2) // which it does not confirm
	for _, open := range []bool{true, false} {
		if !open {
			ws.Close()
			testwait.Count(t, "ended sockets", 1, func() int {
				if p.Components().Engine.Stats().Sockets == 2 { // the owner's others
					return 1
				}
				return 0
			})
		}
		again := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": before, "previous_socket_id": id})
		if err := e2e.Consecutive(again.EventIDs(2), end+1, end+2); err != nil {
			t.Error(err)
		}
		again.Silence()
		again.Close()
	}
	alone := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": before})
	if err := e2e.Consecutive(alone.EventIDs(7), before+1, end+2); err != nil {
		t.Error(err)
	}
}

// TestResumeFailed checks that a position that the journal cannot continue from is told,
// with the oldest number that is kept, and that the socket is live then.
func TestResumeFailed(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		p, owner := onlineOn(t, url)
		_, end := journalled(t, p, owner, 5)
		prune(t, p, int(end)-2)
		for _, id := range []int64{1, end + 1000, 1<<63 - 1} {
			ws := owner.Resume(e2e.LineChannel, map[string]any{"last_event_id": json.Number(fmt.Sprint(id))})
			var frame struct{ Event, Channel, Data string }
			want := fmt.Sprintf(`{"oldestEventId":%d,"lastEventId":%d}`, end-1, end)
			if err := ws.ReadJSON(&frame); err != nil || frame.Event != "chatcast:resume_failed" || frame.Channel != e2e.LineChannel || frame.Data != want {
				t.Errorf("after %d: %+v, %v, want %s", id, frame, err, want)
			}
			p.Journal(owner, 1)
			if err := e2e.Consecutive(ws.EventIDs(1), end+1, end+1); err != nil {
				t.Error(err)
			}
			end++
			prune(t, p, 1)
		}
	})
}

// prune removes the first n entries of the journal, as soon as they are marked published.
func prune(t *testing.T, p *e2e.Running, n int) {
	t.Helper()
	removed := 0
	testwait.Count(t, "removed entries", n, func() int {
		more, err := p.Components().Rules.Journal.Prune(t.Context(), time.Now(), n-removed)
		if err != nil {
			t.Error(err)
		}
		removed += more
		return removed
	})
}

// TestResumeShowsWhatMayBeRead checks that a replay has what GET /v1/events shows: nothing
// of another company, nothing that the person may see no longer, nothing that was deleted.
func TestResumeShowsWhatMayBeRead(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		p, owner := onlineOn(t, url)
		bea, id := owner.Hire(p)
		view := fmt.Sprintf("private-v1.companies.2224.users.%d", id)
		live := owner.Subscribe(e2e.LineChannel)
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("A1", "79990001122@c.us", "in public"), nil)
		var sent struct{ ID string }
		chat := e2e.WhatsAppPath + "/chats/79990001122@c.us"
		owner.Must("POST", chat+"/messages/text", map[string]any{"text": "a secret"}, &sent)
		owner.Must("DELETE", chat+"/messages/"+sent.ID, nil, nil)
		for said := ""; !strings.Contains(said, "messageDelete"); {
			_, frame, err := live.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			said = string(frame)
		}
		replayed := func(c *e2e.Client, channel string) (frames []string) {
			resumed := func() int { return int(p.Components().Engine.Stats().Resumed) }
			before := resumed()
			ws := c.Resume(channel, map[string]any{"last_event_id": 0})
			testwait.Count(t, "replays", before+1, resumed)
			if err := ws.WriteJSON(map[string]any{"event": "pusher:ping", "data": map[string]any{}}); err != nil {
				t.Fatal(err)
			}
			for {
				_, frame, err := ws.ReadMessage()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(frame), "pusher:pong") {
					return frames
				}
				if !strings.Contains(string(frame), "pusher:ping") && !strings.Contains(string(frame), "chatcast:position") {
					frames = append(frames, string(frame))
				}
			}
		}
		for _, c := range []struct {
			who     *e2e.Client
			channel string
		}{{owner, e2e.LineChannel}, {owner, e2e.ViewChannel}, {bea, view}} {
			said := strings.Join(replayed(c.who, c.channel), "\n")
			if strings.Contains(said, "a secret") || !strings.Contains(said, "in public") || !strings.Contains(said, "messageDelete") {
				t.Errorf("%s replays %s", c.channel, said)
			}
		}
		owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", id), map[string]any{"licenses": []any{}}, nil)
		if frames := replayed(bea, view); len(frames) > 0 {
			t.Errorf("who lost the licence is replayed %q", frames)
		}
		_, socketID := e2e.ConnectSocket(t, p.Base)
		for _, channel := range []string{e2e.LineChannel, "private-v1.companies.9", e2e.ViewChannel} {
			body := map[string]any{"socket_id": socketID, "channel_name": channel, "last_event_id": 0}
			if status, answer := bea.Call("POST", "/broadcasting/auth", body); status != http.StatusForbidden {
				t.Errorf("%s: %d %s", channel, status, answer)
			}
		}
	})
}

// TestResumeCursorIsSigned checks that a cursor counts only where it was signed for.
func TestResumeCursorIsSigned(t *testing.T) {
	p, owner := online(t, e2e.Config(t))
	journalled(t, p, owner, 3)
	ws, id := e2e.ConnectSocket(t, p.Base)
	auth, data := owner.Authorize(id, e2e.LineChannel, map[string]any{"last_event_id": 2})
	other, otherID := e2e.ConnectSocket(t, p.Base)
	owner.Authorize(otherID, e2e.LineChannel, map[string]any{"last_event_id": 2})
	refused := func(ws *e2e.Socket, channel, auth, data string) {
		t.Helper()
		err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": channel, "auth": auth, "channel_data": data}})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"event":"pusher:error"`, `"status":401`} {
			if _, frame, err := ws.ReadMessage(); err != nil || !strings.Contains(string(frame), want) {
				t.Errorf("a moved cursor: %s, %v, want %s", frame, err, want)
			}
		}
	}
	refused(ws, e2e.LineChannel, auth, `{"cursor":"1"}`)
	refused(ws, e2e.LineChannel, auth, "")
	refused(ws, e2e.UserChannel, auth, data)
	refused(other, e2e.LineChannel, auth, data)
	ws.Enter(e2e.LineChannel, auth, data)
}

package program_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// madeKey is the answer of POST /v1/keys.
type madeKey struct {
	ID  int64
	Key string
}

// withKey makes a key, and returns it and a program that sends it.
func withKey(owner *e2e.Client, in map[string]any) (k madeKey, program *e2e.Client) {
	owner.T.Helper()
	in["name"] = "program"
	owner.Must("POST", "/v1/keys", in, &k)
	return k, &e2e.Client{T: owner.T, Base: owner.Base, Token: "Bearer " + k.Key}
}

// waitingPoll begins a long poll of the channel and returns its status, once it waits.
func waitingPoll(p *e2e.Running, c *e2e.Client, channel string) <-chan int {
	var page struct{ LastID int64 }
	c.Must("GET", "/v1/events?channel="+channel, nil, &page)
	after, _ := json.Marshal(page.LastID)
	answered := make(chan int, 1)
	go func() {
		status, _ := c.Call("GET", "/v1/events?wait=60&channel="+channel+"&after="+string(after), nil)
		answered <- status
	}()
	testwait.Count(c.T, "a poll that waits", 1, func() int { return int(p.Components().Rules.Journal.Waiting()) })
	return answered
}

// TestAccessOfAKeyEnds revokes a key while its program has a socket, a stream and a long poll,
// and sends: all of them end, and those of another key go on.
func TestAccessOfAKeyEnds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, cfg config.Config) {
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		rights := []string{"read", "send", "inbound"}
		revoked, gone := withKey(owner, map[string]any{"rights": rights})
		_, other := withKey(owner, map[string]any{"rights": rights, "licenseId": 1229, "messengerType": "telegram"})
		ws, stays := gone.Subscribe(telegramChannel), other.Subscribe(telegramChannel)
		stream, goesOn := gone.MustStream(e2e.StreamPath(telegramChannel, ""), ""), other.MustStream(e2e.StreamPath(telegramChannel, ""), "")
		poll := waitingPoll(p, gone, telegramChannel)

		began := time.Now()
		owner.Must("DELETE", "/v1/keys/"+jsonOf(t, revoked.ID), nil, nil)
		expelled(t, "the socket of a revoked key", ws)
		stream.Ends("the stream of a revoked key")
		t.Logf("both ended %s after the request began", time.Since(began)) // the machine may be busy: no limit
		owner.Write(0, 1)                                                  // wakes the poll
		if status := <-poll; status != http.StatusForbidden {
			t.Errorf("the poll of a revoked key is answered %d", status)
		}
		for _, path := range []string{"/v1/licenses", "/v1/events?channel=" + telegramChannel} {
			if status, _ := gone.Call("GET", path, nil); status != http.StatusForbidden {
				t.Errorf("%s with a revoked key is answered %d", path, status)
			}
		}
		if goesOn.Next() == nil {
			t.Error("the stream of the other key ended too")
		}
		var frame struct{ Event string }
		if err := stays.ReadJSON(&frame); err != nil || frame.Event != "message" {
			t.Errorf("the socket of the other key: %+v, %v", frame, err)
		}

		// The line goes, and with it its key.
		owner.Must("DELETE", "/v1/licenses/1229/messengers/telegram", nil, nil)
		expelled(t, "the socket of a line's key", stays)
		goesOn.Ends("the stream of a line's key")
		if status, _ := other.Call("GET", "/v1/licenses", nil); status != http.StatusForbidden {
			t.Errorf("the key of a line that is gone is answered %d", status)
		}
	})
}

// TestChannelOfAllLines checks who may enter the channel of all lines of a company: a key of the company
// that reads, and nobody whose rights on single lines can be taken. Its socket stays when one of the
// lines goes, hears of the others, and ends with the key.
func TestChannelOfAllLines(t *testing.T) {
	const all = "private-v1.companies.2224.lines"
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	operator, _ := owner.Hire(p)
	_, line := withKey(owner, map[string]any{"rights": []string{"read"}, "licenseId": 1229, "messengerType": "grWhatsApp"})
	_, sends := withKey(owner, map[string]any{"rights": []string{"send", "manage"}})
	key, reads := withKey(owner, map[string]any{"rights": []string{"read"}})
	_, id := e2e.ConnectSocket(t, owner.Base)
	for name, c := range map[string]*e2e.Client{"an owner": owner, "an operator": operator, "a line's key": line, "a key that does not read": sends} {
		if status, answer := c.Call("POST", "/broadcasting/auth", map[string]string{"socket_id": id, "channel_name": all}); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	ws := reads.Subscribe(all)
	owner.Must("DELETE", "/v1/licenses/1229/messengers/grWhatsApp", nil, nil)
	owner.Write(0, 1)
	for event := ""; event != "message"; {
		var frame struct{ Event string }
		if err := ws.ReadJSON(&frame); err != nil {
			t.Fatal(err)
		}
		event = frame.Event
	}
	owner.Must("DELETE", "/v1/keys/"+jsonOf(t, key.ID), nil, nil)
	expelled(t, "the socket of a revoked key", ws)
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

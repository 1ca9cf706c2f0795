package program_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// back waits until the client is connected again, and returns whether it was recovered.
func (c *ioClient) back() bool {
	c.t.Helper()
	for line := range c.lines {
		switch line[0] {
		case "connect":
			return line[1] == true
		case "event":
			c.t.Fatalf("before it is back it says %.500s", fmt.Sprint(line))
		}
	}
	c.t.Fatal("node has ended")
	return false
}

// since reads the messages of the instance from a time on, oldest first, as docs/socketio.md
// says.
func since(t *testing.T, p *e2e.Running, key, instance string, seconds int64) (ids []string) {
	t.Helper()
	for page := 1; ; page++ {
		body := fmt.Sprintf(`{"where":{"messageTimestamp":{"gte":%d}},"page":%d,"offset":2}`, seconds, page)
		req, err := http.NewRequestWithContext(t.Context(), "POST", p.Base+"/chat/findMessages/"+instance, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("apikey", key)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		var found struct {
			Messages struct {
				Pages   int
				Records []struct{ Key struct{ ID string } }
			}
		}
		if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(text, &found) != nil {
			t.Fatalf("findMessages: %s %s %v", res.Status, text, err)
		}
		for _, r := range found.Messages.Records {
			ids = append(ids, r.Key.ID)
		}
		if page >= found.Messages.Pages {
			slices.Reverse(ids)
			return ids
		}
	}
}

// TestSocketIOGap checks what docs/socketio.md promises to clients that were away for longer
// than the journal reaches back: they are told that they are not recovered, get what comes
// from then on, and can read what they have missed. The next cut is recovered again.
func TestSocketIOGap(t *testing.T) {
	eachDatabase(t, func(t *testing.T, cfg config.Config) {
		p := e2e.Start(t, cfg)
		cable, owner := e2e.LayCable(t, strings.TrimPrefix(p.Base, "http://")), p.SignIn(t)
		const instance = "1229-grWhatsApp"
		key, _ := withKey(owner, map[string]any{"rights": []string{"read"}, "licenseId": 1229, "messengerType": "grWhatsApp"})
		join := func(auth map[string]any) *ioClient {
			auth["apikey"] = key.Key
			return connectIO(t, cable.Base()+"/"+instance, map[string]any{"transports": []string{"websocket"}, "auth": auth})
		}
		write := func(ids ...string) {
			for _, id := range ids {
				owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(id, "351912000009", "Hello "+id), nil)
			}
		}
		began := time.Now().Unix()
		earlier := e2e.Inbound("W0", "351912000009", "Hello W0")
		earlier["messages"].([]any)[0].(map[string]any)["time"] = began - 3600
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", earlier, nil)
		told := join(map[string]any{})
		told.next("connect")
		write("W1")
		_, offset := told.text(instance)
		fresh := join(map[string]any{}) // it gets no event before the cut
		fresh.next("connect")

		cable.Pull()
		write("W2", "W3", "W4")
		owner.AwaitEvent("message", `"W4"`)
		end := owner.LastEventID()
		published(t, p, end)
		prune(t, p, int(end)-1)
		cable.Mend()
		for who, c := range map[string]*ioClient{"with an offset": told, "without an event": fresh} {
			if c.back() {
				t.Errorf("a client %s is recovered", who)
			}
		}
		named := join(map[string]any{"last_event_id": offset})
		named.next("connect")
		if said := named.next("event"); said[1] != "chatcast:resume_failed" {
			t.Errorf("a client that names its last event gets %v", said)
		}
		write("W5")
		for who, c := range map[string]*ioClient{"told": told, "fresh": fresh, "named": named} {
			if text, _ := c.text(instance); text != "Hello W5" {
				t.Errorf("%s gets %q", who, text)
			}
		}
		if got := since(t, p, key.Key, instance, began); !slices.Equal(got, []string{"W1", "W2", "W3", "W4", "W5"}) {
			t.Errorf("what was missed is read as %q", got)
		}
		cable.Pull()
		write("W6")
		cable.Mend()
		for who, c := range map[string]*ioClient{"told": told, "fresh": fresh, "named": named} {
			if !c.back() {
				t.Errorf("%s is not recovered", who)
			}
			if text, _ := c.text(instance); text != "Hello W6" {
				t.Errorf("%s has missed %q", who, text)
			}
		}
	})
}

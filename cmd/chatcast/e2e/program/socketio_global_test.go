package program_test

import (
	"fmt"
	"slices"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// The main namespace has the events of all instances of a company in one order. A client that
// was cut off gets what it has missed of all of them, also of one that was made meanwhile,
// each once and in this order; and nothing of another company.
func TestGlobalNamespaceRecovers(t *testing.T) {
	eachDatabase(t, func(t *testing.T, cfg config.Config) {
		cfg.Evolution.GlobalEvents = true
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		line := func(name string) string {
			var made struct{ LicenseID int64 }
			owner.Must("POST", "/v1/licenses", map[string]any{"companyId": 2224, "name": name}, &made)
			owner.Must("POST", fmt.Sprintf("/v1/licenses/%d/messengers", made.LicenseID), map[string]any{"type": "grWhatsApp"}, nil)
			return fmt.Sprintf("/v1/licenses/%d/messengers/grWhatsApp", made.LicenseID)
		}
		n := 0
		write := func(path string) string {
			n++
			text := fmt.Sprint("text ", n)
			owner.Must("POST", path+"/inbound", e2e.Inbound(fmt.Sprint("G", n), "351912000009", text), nil)
			return text
		}
		second := line("Second")
		company, _ := withKey(owner, map[string]any{"rights": []string{"read"}})
		one, _ := withKey(owner, map[string]any{"rights": []string{"read"}, "licenseId": 1229, "messengerType": "grWhatsApp"})
		connect := func(key string) *ioClient {
			c := connectIO(t, p.Base+"/", map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apikey": key}})
			c.next("connect")
			return c
		}
		all, single := connect(company.Key), connect(one.Key)
		want := []string{write(e2e.WhatsAppPath), write(second)}
		got := all.texts(len(want))

		for _, c := range []*ioClient{all, single} {
			c.do("break")
			for line := range c.lines {
				if line[0] == "disconnect" {
					break
				}
			}
		}
		for range 3 {
			want = append(want, write(second), write(e2e.WhatsAppPath))
		}
		third := line("Third")
		want = append(want, write(third), write(second), write(third), write(e2e.WhatsAppPath))
		if again := all.next("connect"); again[1] != true {
			t.Errorf("it is back with %v", again)
		}
		want = append(want, write(third), write(e2e.WhatsAppPath))
		if got = append(got, all.texts(len(want)-len(got))...); !slices.Equal(got, want) {
			t.Errorf("a client of all instances got %q, want %q", got, want)
		}
		for line := range single.lines {
			if line[0] == "connect" {
				break
			}
		}
		last := want[len(want)-1]
		for text := ""; text != last; {
			if text, _ = single.text("1229-grWhatsApp"); text == "" { // fails for those of other instances
				t.Fatal("an event has no text")
			}
		}
	})
}

// texts returns the next texts of any instance.
func (c *ioClient) texts(n int) (list []string) {
	c.t.Helper()
	for len(list) < n {
		line := c.next("event")
		if line[1] != "messages.upsert" {
			continue
		}
		envelope, _ := line[2].(map[string]any)
		data, _ := envelope["data"].(map[string]any)
		message, _ := data["message"].(map[string]any)
		text, _ := message["conversation"].(string)
		list = append(list, text)
	}
	return list
}

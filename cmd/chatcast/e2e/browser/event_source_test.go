package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestEventSourceSurvivesAKill opens the EventSource of Chromium with a ticket, from another
// origin, and kills the program under it. EventSource comes back by itself, with the same
// URL, and has every event once, in order.
func TestEventSourceSurvivesAKill(t *testing.T) {
	binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
	start := func(address string) *e2e.Process {
		return e2e.Launch(t, binary, "", []string{"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + e2e.OwnerPassword},
			"--server.address="+address, "--server.internal_address=", "--server.drain_time=0s",
			"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir)
	}
	p := start("127.0.0.1:0")
	owner := &e2e.Client{T: t, Base: p.Base}
	var pair struct{ AccessToken string }
	owner.Must("POST", "/v1/tokens", map[string]any{"email": e2e.OwnerEmail, "password": e2e.OwnerPassword}, &pair)
	owner.Token = pair.AccessToken
	const channel = "private-v1.licenses.1229.messengers.telegram"
	names, err := json.Marshal(lineEvents)
	if err != nil {
		t.Fatal(err)
	}
	tab := e2e.OpenPage(t, "event-source.html", map[string]any{"URL": p.Base + owner.Ticket(channel), "Events": string(names)})
	tab.Sees("open", "")

	written := 0
	write := func(n int) {
		owner.Write(written, n)
		written += n
	}
	messages := func(logged []json.RawMessage, _ []string) bool {
		n := 0
		for _, l := range logged {
			if strings.HasPrefix(string(l), `["event"`) && strings.Contains(string(l), `"message"`) {
				n++
			}
		}
		return n >= written
	}
	write(5)
	tab.Wait("the first messages", messages)
	for range 2 {
		write(20) // the page has some of them at most
		if err := p.Cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.Cmd.Wait() // it says that it was killed
		p = start(strings.TrimPrefix(p.Base, "http://"))
		write(20)
		tab.Wait("all messages", messages)
	}
	var got, want []string
	for _, l := range tab.Logs() {
		if strings.HasPrefix(string(l), `["event"`) {
			got = append(got, string(l))
		}
		if strings.HasPrefix(string(l), `["lost"`) || string(l) == `["error",2]` {
			t.Errorf("the page says %s", l)
		}
	}
	for _, e := range owner.Events(channel) {
		want = append(want, fmt.Sprintf(`["event",%d,%q,%d]`, e.ID, e.Event, e.ID))
	}
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		t.Errorf("the page has %v\nthe journal %v", got, want)
	}
}

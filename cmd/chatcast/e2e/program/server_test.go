package program_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/api"
)

// The figures of the Server page match what happened.
func TestServerFigures(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	bea, _ := owner.Hire(p)
	channel := "private-v1.licenses.1229.messengers.grWhatsApp"
	owner.Subscribe(channel)
	ws := bea.Subscribe(channel)
	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("M1", "79990001122", "Hello"), nil)
	if _, _, err := ws.ReadMessage(); err != nil {
		t.Fatal(err)
	}

	// Deliveries are counted, and marked, just after they were queued.
	var got api.ServerData
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); runtime.Gosched() {
		if owner.Must("GET", "/v1/server", nil, &got); got.Engine.Delivered >= 2 && got.Journal.Last >= 1 && got.Journal.Pending == 0 {
			break
		}
	}
	if got.Version != e2e.Version || got.Commit != e2e.Commit || got.StartedAt < 1 || got.Now < got.StartedAt {
		t.Errorf("the program: %+v", got)
	}
	if got.Sockets.Open != 2 || got.Sockets.Accepted != 2 || len(got.Sockets.Ended) > 0 {
		t.Errorf("sockets: %+v", got.Sockets)
	}
	if got.Engine.Channels != 1 || got.Engine.Users != 2 || got.Engine.Published < 1 || got.Engine.Delivered < 2 {
		t.Errorf("engine: %+v", got.Engine)
	}
	if j := got.Journal; j.First != 1 || j.Last < 1 || j.Pending != 0 || !j.Leading || !j.Ready || j.Retention != 168*3600 {
		t.Errorf("journal: %+v", j)
	}
	if got.ChannelsTotal != 1 || len(got.Channels) != 1 || got.Channels[0] != (api.ServerChannel{App: "1", Name: channel, Subscriptions: 2}) {
		t.Errorf("channels: %+v", got.Channels)
	}
	if status, answer := bea.Call("GET", "/v1/server", nil); status != http.StatusForbidden || strings.Contains(string(answer), channel) {
		t.Errorf("an operator: %d %s", status, answer)
	}
	// The history grows; the test of the monitor checks how.
	for end := time.Now().Add(testwait.Long); !strings.Contains(e2e.Goroutines(), "server.(*Monitor).Run"); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("nobody samples")
		}
	}
}

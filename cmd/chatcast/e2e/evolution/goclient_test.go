package evolution

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"chatcast/channels/testwait"
)

// TestGoClient connects with a client library of Go, zishang520/socket.io, over each transport and with
// the key in each place. Its module is one of its own, so that the program depends on nothing of it.
func TestGoClient(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "client")
	build := exec.CommandContext(testwait.Context(t), "go", "build", "-o", binary, ".")
	build.Dir = "testdata/goclient"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w, _, c := start(t, "")
	pair(t, w, c, first)
	connect := func(t *testing.T, namespace, place, key, transport string) *script {
		return startCommand(t, exec.Command(binary, c.base, namespace, place, key, transport))
	}
	for place, transport := range map[string]string{"auth": "websocket", "query": "polling", "header": "upgrade"} {
		t.Run(place+", "+transport, func(t *testing.T) {
			client := connect(t, "/"+first, place, c.key, transport)
			client.until("connect")
			w.Anna.SendText(w.Shop, "Hi from "+place)
			for event := client.until("event"); event[1] != "messages.upsert" || !strings.Contains(fmt.Sprint(event[2]), "conversation:Hi from "+place); event = client.until("event") {
				continue
			}
			if transport == "polling" {
				return // this library posts nothing while it polls, which is up to 25 seconds
			}
			client.say(map[string]any{"number": anna, "text": "Hello from " + place})
			answer, _ := client.until("ack")[1].(map[string]any)
			if answer["status"] != 201.0 {
				t.Errorf("sending is answered %v", answer)
			}
			if _, err := w.Anna.AwaitText(testwait.Context(t), "Hello from "+place); err != nil {
				t.Error(err)
			}
		})
	}
	for _, refused := range []struct{ namespace, key string }{{"/none", c.key}, {"/" + first, "wrong"}} {
		var said []any
		connect(t, refused.namespace, "auth", refused.key, "websocket").next(&said)
		if said[0] != "connect_error" { // what the library says of it is its own: it wants data, which the protocol leaves out
			t.Errorf("%s: %v", refused.namespace, said)
		}
	}
}

package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

// orders is a socket that is subscribed to the public channel of that name.
type orders struct {
	t *testing.T
	*socket
}

func onOrders(t *testing.T, p *running) orders {
	t.Helper()
	ws := dial(t, p)
	if err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": "orders"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the greeting, and the subscription
		if _, _, err := ws.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	return orders{t, ws}
}

// shipped expects the event that the examples publish.
func (o orders) shipped() {
	o.t.Helper()
	var frame struct{ Event, Channel, Data string }
	if err := o.ReadJSON(&frame); err != nil || frame.Event != "shipped" || frame.Channel != "orders" || frame.Data != `{"order":7}` {
		o.t.Errorf("the socket received %+v, %v", frame, err)
	}
}

// Any backend may publish with Pusher's own server library; here it is Node's.
func TestPusherLibraryPublishes(t *testing.T) {
	p := start(t, testConfig(t))
	ws := onOrders(t, p)
	host, port, err := net.SplitHostPort(p.Address())
	if err != nil {
		t.Fatal(err)
	}
	publish := func(secret string) (string, error) {
		out, err := exec.Command("node", "testdata/browser/publish.cjs", host, port, secret, "orders").CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := publish("not the secret"); err == nil {
		t.Errorf("a wrong secret published: %s", out)
	}
	if out, err := publish(p.rooms.apps.First().Secret); err != nil || out != "{}" {
		t.Errorf("publishing: %s, %v", out, err)
	}
	ws.shipped()
}

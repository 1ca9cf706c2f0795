package program_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// The settings of Socket.IO reach the clients. The defaults are those of Engine.IO.
func TestSocketIOSettings(t *testing.T) {
	const polling = "/socket.io/?EIO=4&transport=polling"
	opens := func(p *e2e.Running, want string) {
		t.Helper()
		if _, body := e2e.Get(t, p.Base+polling); !strings.HasSuffix(body, want) {
			t.Errorf("the handshake is %s, want %s", body, want)
		}
	}
	opens(e2e.Start(t, e2e.Config(t)), `,"upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)

	cfg := e2e.Config(t)
	cfg.SocketIO.Connections = 1
	p := e2e.Start(t, cfg)
	key, _ := withKey(p.SignIn(t), map[string]any{"rights": []string{"read"}})
	c := connectIO(t, p.Base+"/1229-grWhatsApp", map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apikey": key.Key}})
	c.next("connect")
	if status, body := e2e.Get(t, p.Base+polling); status != http.StatusServiceUnavailable {
		t.Errorf("a second connection is answered %d %s", status, body)
	}

	cfg = e2e.Config(t)
	cfg.SocketIO.PingInterval, cfg.SocketIO.PingTimeout = config.Duration(10*time.Second), config.Duration(5*time.Second)
	cfg.SocketIO.PacketBytes, cfg.SocketIO.Recovery = 50_000, false
	p = e2e.Start(t, cfg)
	opens(p, `,"upgrades":["websocket"],"pingInterval":10000,"pingTimeout":5000,"maxPayload":50000}`)
	key, _ = withKey(p.SignIn(t), map[string]any{"rights": []string{"read"}})
	c = connectIO(t, p.Base+"/1229-grWhatsApp", map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apikey": key.Key}})
	c.next("connect")
	c.do("break")
	c.next("disconnect")
	if again := c.next("connect"); again[1] == true {
		t.Errorf("without recovery it is back with %v", again)
	}
}

package program_test

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// onUnixSocket returns a configuration with a Unix socket, and the socket's path.
func onUnixSocket(t *testing.T) (cfg config.Config, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "chatcast-") // the test's own folder may be too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg, path = e2e.Config(t), filepath.Join(dir, "c.sock")
	cfg.Server.Address, cfg.Server.SocketMode, cfg.Server.PublicURL = "unix:"+path, "0600", "https://chat.example.com"
	return cfg, path
}

// TestUnixSocket serves a proxy on this machine, which names its clients.
func TestUnixSocket(t *testing.T) {
	for name, c := range map[string]struct {
		trusted []string
		want    string
	}{
		"a trusted proxy": {config.Default().Server.TrustedProxies, "203.0.113.9"},
		"no proxy":        {[]string{}, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, path := onUnixSocket(t)
			cfg.Server.TrustedProxies = c.trusted
			left, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			left.(*net.UnixListener).SetUnlinkOnClose(false)
			left.Close() // as a process does that is killed

			p := e2e.Start(t, cfg)
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Mode()&fs.ModeSocket == 0 {
				t.Errorf("the socket: %v, %v", info, err)
			}
			if p.Address() != "unix:"+path || p.URL() != "https://chat.example.com/" {
				t.Errorf("the program is at %s, %s", p.Address(), p.URL())
			}
			dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			}}
			ws, res, err := dialer.Dial("ws://chat.example.com/app/ChatsAppApiProdKey?protocol=7", http.Header{"X-Forwarded-For": {"198.51.100.1, 203.0.113.9"}})
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			defer ws.Close()
			if _, hello, err := ws.ReadMessage(); err != nil || !strings.Contains(string(hello), "connection_established") {
				t.Fatalf("greeted with %s, %v", hello, err)
			}
			if conns := p.Components().Sockets.Connz(); len(conns) != 1 || conns[0].Remote != c.want {
				t.Errorf("the socket is of %+v, want %s", conns, c.want)
			}
			p.Stop()
			if _, err := os.Lstat(path); !os.IsNotExist(err) {
				t.Errorf("the socket stays behind: %v", err)
			}
		})
	}
}

// TestUnixSocketInTheWay checks what is not replaced: a socket that somebody listens on,
// and a file that is none.
func TestUnixSocketInTheWay(t *testing.T) {
	cfg, path := onUnixSocket(t)
	refused := func(want string) {
		t.Helper()
		_, err := app.New(t.Context(), cfg, app.Options{Log: e2e.Log(t)})
		if err == nil || !strings.Contains(err.Error(), "server.address: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	refused("another program listens on " + path)
	other.Close()
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(path + " exists and is no socket")
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

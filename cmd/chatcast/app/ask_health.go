package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"chatcast/cmd/chatcast/config"
)

// askTime is how long a server may take to tell its health.
const askTime = 5 * time.Second

// AskHealth asks the server that listens on server.address of this machine whether it
// runs, or whether it is ready: its database and its relay work. It returns nil if so.
func AskHealth(ctx context.Context, cfg config.Config, ready bool) error {
	if _, port, err := net.SplitHostPort(cfg.Server.Address); err == nil && port == "0" {
		return errors.New("server.address: the system chooses port 0 at the start, so nobody can tell where the server is")
	}
	// The certificate is for the name that browsers use, and this machine asks itself.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	address := cfg.Server.Address
	if path, unix := strings.CutPrefix(address, config.UnixPrefix); unix {
		address = "localhost:80"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	}
	url := urlOf(cfg, address) + "/healthz"
	if ready {
		url = urlOf(cfg, address) + "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("no server answers: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("the server answers %s: %s", res.Status, strings.TrimSpace(string(why)))
	}
	return nil
}

package whatsapp

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
)

// dialer makes the HTTP clients of a whatsmeow client. With an endpoint, every
// dial goes there in plain TCP, whatever host it was for: TLS is believed done.
type dialer struct {
	endpoint string
	limit    int64 // of a media answer, in bytes
}

func (d dialer) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = time.Minute
	if d.endpoint != "" {
		plain := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, "tcp", d.endpoint)
		}
		t.Proxy, t.DialContext, t.DialTLSContext = nil, plain, plain
		t.ForceAttemptHTTP2 = false
	}
	return t
}

// configure gives the client its way out.
func (d dialer) configure(cli *whatsmeow.Client) (closeIdle func()) {
	sockets, media := d.transport(), d.transport()
	cli.SetPreLoginHTTPClient(&http.Client{Transport: sockets})
	cli.SetWebsocketHTTPClient(&http.Client{Transport: sockets})
	cli.SetMediaHTTPClient(&http.Client{Transport: bounded{media, d.limit}})
	return func() {
		sockets.CloseIdleConnections()
		media.CloseIdleConnections()
	}
}

// bounded refuses answers that are longer than was agreed: how long an attachment
// is, its sender announces, and they may lie.
type bounded struct {
	http.RoundTripper
	limit int64
}

var errTooLong = errors.New("whatsapp: the answer is longer than the largest file that is kept")

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err != nil || b.limit <= 0 {
		return resp, err
	}
	if resp.ContentLength > b.limit {
		resp.Body.Close()
		return nil, errTooLong
	}
	resp.Body = &boundedBody{resp.Body, b.limit}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// root guards the one Noise root that whatsmeow has for the process.
var root struct {
	mu  sync.Mutex
	set [32]byte // guarded by mu
	was bool     // guarded by mu: it was set
}

// trustRoot makes the process trust another Noise root than WhatsApp's. It is
// for the whole process and must come before the first connection.
func trustRoot(key string) error {
	raw, err := hex.DecodeString(key)
	if err != nil || len(raw) != 32 {
		return errors.New("whatsapp: the root key must be 64 hexadecimal digits")
	}
	root.mu.Lock()
	defer root.mu.Unlock()
	if root.was && root.set != [32]byte(raw) {
		return fmt.Errorf("whatsapp: another root key is trusted by this process already")
	}
	if !root.was {
		root.set, root.was = [32]byte(raw), true
		whatsmeow.WACertPubKey = root.set
	}
	return nil
}

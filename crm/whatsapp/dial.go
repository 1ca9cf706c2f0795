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
type dialer struct{ endpoint string }

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

// configure gives the client its way out. dialled is told of each socket, and what
// it returns is called when that can be read no more.
func (d dialer) configure(cli *whatsmeow.Client, dialled func() (cut func())) (closeIdle func()) {
	sockets, media := d.transport(), d.transport()
	dial := sockets.DialContext
	sockets.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &socket{c, dialled()}, nil
	}
	if d.endpoint != "" {
		sockets.DialTLSContext = sockets.DialContext
	}
	cli.SetPreLoginHTTPClient(&http.Client{Transport: sockets})
	cli.SetWebsocketHTTPClient(&http.Client{Transport: sockets})
	cli.SetMediaHTTPClient(&http.Client{Transport: bounded{media}})
	return func() {
		sockets.CloseIdleConnections()
		media.CloseIdleConnections()
	}
}

// socket tells when it was cut.
type socket struct {
	net.Conn
	cut func()
}

func (s *socket) Read(p []byte) (n int, err error) {
	if n, err = s.Conn.Read(p); err != nil {
		s.cut()
	}
	return n, err
}

// bounded refuses answers that are longer than was agreed: how long an attachment
// is, its sender announces, and they may lie. What nobody agreed on may be as long
// as a piece of history.
type bounded struct{ http.RoundTripper }

const usualLimit = 256 << 20

type limitKey struct{}

// atMost agrees on a length for the answers to requests under the context.
func atMost(ctx context.Context, bytes int64) context.Context {
	return context.WithValue(ctx, limitKey{}, bytes)
}

var errTooLong = errors.New("whatsapp: the answer is longer than was agreed")

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	limit, ok := req.Context().Value(limitKey{}).(int64)
	if !ok {
		limit = usualLimit
	}
	resp, err := b.RoundTripper.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	if resp.ContentLength > limit {
		limit = -1 // found out by the first read: an error here would be tried again
	}
	resp.Body = &boundedBody{resp.Body, limit}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
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

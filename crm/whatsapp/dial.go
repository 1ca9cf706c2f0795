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

// dialer makes the HTTP clients of a whatsmeow client. If endpoint is set, every dial
// goes to it over plain TCP, whatever the host, and no TLS handshake is made. If through
// is set, it is used instead of a dial of our own.
type dialer struct {
	endpoint string
	through  dialFunc
}

func (d dialer) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = time.Minute
	if d.through != nil {
		t.Proxy, t.DialContext = nil, d.through
	}
	if d.endpoint != "" {
		dial := dialFunc((&net.Dialer{Timeout: 30 * time.Second}).DialContext)
		if d.through != nil {
			dial = d.through
		}
		plain := func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, "tcp", d.endpoint) }
		t.Proxy, t.DialContext, t.DialTLSContext = nil, plain, plain
		t.ForceAttemptHTTP2 = false
	}
	return t
}

// configure sets the HTTP clients of cli, and returns the one for files. It calls dialled
// for each socket, and cut when a read from that socket fails.
func (d dialer) configure(cli *whatsmeow.Client, dialled func() (cut func())) (files *http.Client, closeIdle func()) {
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
	files = &http.Client{Transport: bounded{media}}
	cli.SetMediaHTTPClient(files)
	return files, func() {
		sockets.CloseIdleConnections()
		media.CloseIdleConnections()
	}
}

// socket is a connection that calls cut when a read fails.
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

// bounded fails responses that are longer than the limit in the request's context: the
// sender announces the size of an attachment, and may lie. Without a limit in the
// context, usualLimit applies, which fits a part of the history.
type bounded struct{ http.RoundTripper }

const usualLimit = 256 << 20

type limitKey struct{}

// atMost returns a context that limits the length of responses to its requests.
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
		limit = -1              // the first read fails: whatsmeow would retry an error returned here
		resp.ContentLength = -1 // whatsmeow would take that much of the disk at once
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

// root guards whatsmeow's Noise root key, which is global to the process.
var root struct {
	mu  sync.Mutex
	set [32]byte // guarded by mu
	was bool     // guarded by mu: it was set
}

// trustRoot makes the whole process trust key instead of WhatsApp's Noise root key. It
// must be called before the first connection.
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

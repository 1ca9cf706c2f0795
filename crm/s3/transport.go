package s3

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	dialTime = 5 * time.Second
	// stallTime is how long a connection may move no bytes in either direction.
	stallTime = 30 * time.Second
)

// newTransport returns a transport whose connections end when no bytes move on them
// for stall. A large file may take long, but an unreachable service is given up.
func newTransport(stall time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTime}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &impatient{Conn: c, stall: stall}, nil
		},
		TLSHandshakeTimeout: 2 * dialTime, ExpectContinueTimeout: time.Second,
		MaxIdleConns: uploads, MaxIdleConnsPerHost: uploads, IdleConnTimeout: stall,
		DisableCompression: true, // sizes and ranges are those of the stored bytes
	}
}

// impatient is a connection whose every read and write extends the deadline of both,
// so that waiting for the answer does not time out while a part is still written.
type impatient struct {
	net.Conn
	stall time.Duration
}

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *impatient) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

package s3

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	dialTime = 5 * time.Second
	// stallTime is how long a connection may move nothing, in either direction.
	stallTime = 30 * time.Second
)

// newTransport is net/http's, with connections that end when nothing moves on
// them for stall: a large file may take its time, a service that is gone may not.
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
		DisableCompression: true, // sizes and ranges are those of what is stored
	}
}

// impatient is a connection whose reads and writes all move its deadline: who
// waits for the answer while a part is still being written is not cut.
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

package testdb

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"chatcast/channels/testwait"
)

// Proxy stands between a program and the database, on the way that an outage takes.
type Proxy struct {
	*testwait.Proxy
	URL string // of the database, by way of the proxy
}

// Between starts a proxy to the database at address, one of PostgresURL. It ends with the
// test.
func Between(t testing.TB, address string) *Proxy {
	t.Helper()
	const socket = ".s.PGSQL.5432"
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "bus-") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	q := u.Query()
	server := filepath.Join(q.Get("host"), socket)
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return &Proxy{testwait.NewProxy(t, l, "unix", server), u.String()}
}

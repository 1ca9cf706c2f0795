package testdb

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy stands between a program and the database, on the way that an outage takes.
type Proxy struct {
	URL    string // of the database, by way of the proxy
	server string // path of the database's socket
	l      net.Listener
	wg     sync.WaitGroup

	mu sync.Mutex
	// guarded by mu
	conns map[net.Conn]bool
	cut   bool
	hangs chan struct{} // not nil: nothing passes until it is closed
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
	p := &Proxy{server: filepath.Join(q.Get("host"), socket), conns: map[net.Conn]bool{}}
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	p.URL = u.String()
	if p.l, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	p.wg.Go(func() {
		for {
			c, err := p.l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.pass(c) })
		}
	})
	t.Cleanup(func() {
		_ = p.l.Close()
		p.Heal()
		p.Cut()
		p.wg.Wait()
	})
	return p
}

func (p *Proxy) pass(c net.Conn) {
	defer c.Close()
	if p.add(c) {
		return
	}
	s, err := net.Dial("unix", p.server)
	if err != nil || p.add(s) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { p.copy(c, s) })
	p.copy(s, c)
	back.Wait()
}

// add notes a connection. It returns true when it is to end at once.
func (p *Proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_ = c.Close()
		return true
	}
	p.conns[c] = true
	return false
}

func (p *Proxy) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		hangs := p.hangs
		p.mu.Unlock()
		if hangs != nil {
			<-hangs
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				_ = from.Close()
			}
			return
		}
	}
}

// Cut ends all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Hang lets nothing pass any more, and keeps the connections open.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hangs == nil {
		p.hangs = make(chan struct{})
	}
}

// Heal ends Cut and Hang.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	if p.hangs != nil {
		close(p.hangs)
		p.hangs = nil
	}
}

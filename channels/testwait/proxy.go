package testwait

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server, on the way that an outage takes.
type Proxy struct {
	network, address string // of the server
	l                net.Listener
	wg               sync.WaitGroup

	mu sync.Mutex
	// guarded by mu
	conns map[net.Conn]bool
	cut   bool
	hangs chan struct{} // not nil: nothing passes until it is closed
}

// NewProxy returns a proxy that listens on l and connects to a server.
func NewProxy(t testing.TB, l net.Listener, network, address string) *Proxy {
	p := &Proxy{l: l, network: network, address: address, conns: map[net.Conn]bool{}}
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
	s, err := net.Dial(p.network, p.address)
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

package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Cable is the connection between browsers and the program. It can be cut while the
// program runs and others reach it, and it can lead to another program later.
type Cable struct {
	listener net.Listener
	running  sync.WaitGroup

	// guarded by mu
	mu    sync.Mutex
	to    string // host:port
	cut   bool
	conns map[net.Conn]bool // both ends of each
}

// LayCable starts a cable between a new address and the program at host:port.
func LayCable(t testing.TB, to string) *Cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cable{to: to, listener: l, conns: map[net.Conn]bool{}}
	c.running.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.Pull()
		c.running.Wait()
	})
	return c
}

// Address is host:port at the browser's end of the cable.
func (c *Cable) Address() string { return c.listener.Addr().String() }

// Base is the program's address at the browser's end of the cable.
func (c *Cable) Base() string { return "http://" + c.Address() }

// Pull ends all connections, and refuses new ones until Mend or Plug.
func (c *Cable) Pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for conn := range c.conns {
		conn.Close()
	}
}

// Mend undoes Pull.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}

// Plug is Mend with the program at another host:port.
func (c *Cable) Plug(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to, c.cut = to, false
}

func (c *Cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		to := c.to
		c.mu.Unlock()
		far, err := net.Dial("tcp", to)
		if err != nil {
			near.Close()
			continue
		}
		if !c.hold(near, far) {
			near.Close()
			far.Close()
			continue
		}
		c.running.Go(func() { c.carry(near, far) })
		c.running.Go(func() { c.carry(far, near) })
	}
}

// hold registers a connection, unless the cable is cut.
func (c *Cable) hold(near, far net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	c.conns[near], c.conns[far] = true, true
	return true
}

func (c *Cable) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from) // until either end closes
	to.Close()
	from.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, to)
	delete(c.conns, from)
}

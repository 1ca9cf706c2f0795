package console

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cable is the connection between a browser and the program. It can be cut while the
// program runs and others reach it.
type cable struct {
	t        testing.TB
	to       string // host:port
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool // both ends of each
}

// lay starts a cable between a new address and the program.
func lay(t testing.TB, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{t: t, to: to, listener: l, conns: map[net.Conn]bool{}}
	c.running.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.pull()
		c.running.Wait()
	})
	return c
}

// base is the program's address at the browser's end of the cable.
func (c *cable) base() string { return "http://" + c.listener.Addr().String() }

// pull ends all connections, and refuses new ones until mend.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for conn := range c.conns {
		conn.Close()
	}
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
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
func (c *cable) hold(near, far net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	c.conns[near], c.conns[far] = true, true
	return true
}

func (c *cable) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from) // until either end closes
	to.Close()
	from.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, to)
	delete(c.conns, from)
}

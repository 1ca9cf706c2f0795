package chaos

import (
	"net"
	"sync"
	"testing"
)

// balancer stands between the clients and the nodes, as a load balancer does: it gives
// each connection to the next node that listens. It can cut connections, and leave them
// half-open.
type balancer struct {
	l  net.Listener
	wg sync.WaitGroup

	mu sync.Mutex
	// guarded by mu
	nodes [nodeCount]string // addresses; empty while a node does not listen
	next  int
	conns map[*passage]bool
	ended bool
}

// passage is a connection through the balancer.
type passage struct {
	node         int
	client, back net.Conn
	stuck        chan struct{} // not nil: nothing passes until it is closed; guarded by balancer.mu
}

func newBalancer(t testing.TB) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{l: l, conns: map[*passage]bool{}}
	b.wg.Go(b.accept)
	t.Cleanup(func() {
		l.Close()
		b.mu.Lock()
		b.ended = true
		for p := range b.conns {
			b.end(p)
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	return b
}

// address is host:port for the clients.
func (b *balancer) address() string { return b.l.Addr().String() }

// point tells where a node listens, and returns where it was before; an empty address is
// nowhere.
func (b *balancer) point(node int, address string) (before string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, b.nodes[node] = b.nodes[node], address
	return before
}

func (b *balancer) accept() {
	for {
		c, err := b.l.Accept()
		if err != nil {
			return
		}
		b.wg.Go(func() { b.pass(c) })
	}
}

// pass serves a connection. A node that refuses is left out.
func (b *balancer) pass(c net.Conn) {
	defer c.Close()
	for range nodeCount {
		node, address := b.choose()
		if address == "" {
			return
		}
		back, err := net.Dial("tcp", address)
		if err != nil {
			continue
		}
		p := &passage{node: node, client: c, back: back}
		b.mu.Lock()
		if b.ended {
			b.mu.Unlock()
			back.Close()
			return
		}
		b.conns[p] = true
		b.mu.Unlock()
		var up sync.WaitGroup
		up.Go(func() { b.copy(p, back, c) })
		b.copy(p, c, back)
		up.Wait()
		b.mu.Lock()
		delete(b.conns, p)
		b.mu.Unlock()
		return
	}
}

// choose returns the next node that listens.
func (b *balancer) choose() (node int, address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range nodeCount {
		b.next = (b.next + 1) % nodeCount
		if b.nodes[b.next] != "" {
			return b.next, b.nodes[b.next]
		}
	}
	return 0, ""
}

// copy passes on what comes from one side, until either ends.
func (b *balancer) copy(p *passage, to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		b.mu.Lock()
		stuck := p.stuck
		b.mu.Unlock()
		if stuck != nil {
			<-stuck
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// of returns the node that a client's connection leads to, by the client's address.
func (b *balancer) of(local net.Addr) (node int, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.conns {
		if p.client.RemoteAddr().String() == local.String() {
			return p.node, true
		}
	}
	return 0, false
}

// ofNode returns the connections to a node; needs mu.
func (b *balancer) ofNode(node int) (list []*passage) {
	for p := range b.conns {
		if p.node == node {
			list = append(list, p)
		}
	}
	return list
}

// cut ends all connections of clients to a node.
func (b *balancer) cut(node int) (addresses []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.ofNode(node) {
		b.end(p)
		addresses = append(addresses, p.client.RemoteAddr().String())
	}
	return addresses
}

// end closes a connection; needs mu.
func (b *balancer) end(p *passage) {
	if p.stuck != nil {
		close(p.stuck)
		p.stuck = nil
	}
	p.client.Close()
	p.back.Close()
}

// halfOpen lets nothing pass on the connections of clients to a node. It returns the
// clients' addresses, and what ends it: the connections are cut.
func (b *balancer) halfOpen(node int) (addresses []string, heal func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.ofNode(node)
	for _, p := range list {
		if p.stuck == nil {
			p.stuck = make(chan struct{})
		}
		addresses = append(addresses, p.client.RemoteAddr().String())
	}
	return addresses, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range list {
			if b.conns[p] {
				b.end(p)
			}
		}
	}
}

package whatsapp

import (
	"context"
	"database/sql"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// gate forwards connections to PostgreSQL's socket. While it is shut, there are no
// connections and none can be made.
type gate struct {
	to string

	mu    sync.Mutex
	shut  bool              // guarded by mu
	conns map[net.Conn]bool // guarded by mu
	ended sync.WaitGroup
}

// newGate returns a gate and the address of the database through it.
func newGate(t *testing.T, address string) (*gate, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	const socket = ".s.PGSQL.5432"
	dir, err := os.MkdirTemp("", "gate-") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	q := u.Query()
	g := &gate{to: filepath.Join(q.Get("host"), socket), conns: map[net.Conn]bool{}}
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	g.ended.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.ended.Go(func() { g.pass(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		g.set(true)
		g.ended.Wait()
	})
	return g, u.String()
}

func (g *gate) pass(c net.Conn) {
	defer c.Close()
	server, err := net.Dial("unix", g.to)
	if err != nil {
		return
	}
	defer server.Close()
	g.mu.Lock()
	shut := g.shut
	if !shut {
		g.conns[c], g.conns[server] = true, true
	}
	g.mu.Unlock()
	if shut {
		return
	}
	g.ended.Go(func() {
		io.Copy(server, c)
		server.Close()
	})
	io.Copy(c, server)
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	if shut {
		for c := range g.conns {
			c.Close()
		}
		clear(g.conns)
	}
}

// locked blocks all other writers of a SQLite database until release is called.
func locked(t *testing.T, address string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(address, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
		db.Close()
	}
}

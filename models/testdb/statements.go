package testdb

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// CountStatements returns another address of the database at address, which has to be one of
// PostgresURL, and what counts the statements that were executed by way of it.
func CountStatements(t testing.TB, address string) (counted string, executed func() int) {
	t.Helper()
	const socket = ".s.PGSQL.5432"
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "count-") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	q := u.Query()
	server := filepath.Join(q.Get("host"), socket)
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { passCounted(c, server, &n) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait() // the connections have ended: the store is closed before
	})
	return u.String(), func() int { return int(n.Load()) }
}

// passCounted connects a client to the server, and counts its statements.
func passCounted(c net.Conn, server string, n *atomic.Int64) {
	defer c.Close()
	s, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer s.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(c, s)
		_ = c.Close()
	})
	defer back.Wait()
	defer s.Close()
	in := bufio.NewReader(c)
	for first := true; ; first = false { // a message has a type, except the first one, and its length
		head := make([]byte, 5)
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		if !first && (head[0] == 'E' || head[0] == 'Q') { // Execute, Query
			n.Add(1)
		}
		if _, err := s.Write(head); err != nil {
			return
		}
		size := int64(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
		if _, err := io.CopyN(s, in, size); err != nil {
			return
		}
	}
}

package e2e

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Node is a script of testdata/browser that runs in Node.js, as a page would in a browser.
type Node struct {
	Say   io.Writer     // its standard input
	Lines <-chan string // what it prints; closed when it has ended
}

// StartNode starts a script of testdata/browser with host and port of base, and args, as
// its arguments. At the end of the test its input ends, and so must it, without an error.
func StartNode(t testing.TB, script, base string, args ...string) *Node {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--no-deprecation", "--experimental-eventsource", "--disable-warning=UNDICI-ES", "../testdata/browser/" + script, host, port}
	cmd := exec.Command("node", append(flags, args...)...)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, done := make(chan string, 10_000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 4<<20)
		for s.Scan() {
			lines <- s.Text()
		}
		_, _ = io.Copy(io.Discard, out) // a line was too long
	}()
	t.Cleanup(func() {
		in.Close()
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	return &Node{Say: in, Lines: lines}
}

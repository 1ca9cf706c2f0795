package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Node is a program that speaks in lines, such as a script of testdata/browser that runs in Node.js,
// as a page would in a browser.
type Node struct {
	Say   io.Writer     // its standard input
	Lines <-chan string // what it prints; closed when it has ended
}

// StartNode is StartScript for a script of testdata/browser, with host and port of base, and args,
// as its arguments.
func StartNode(t testing.TB, script, base string, args ...string) *Node {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--no-deprecation", "--experimental-eventsource", "--disable-warning=UNDICI-ES", "../testdata/browser/" + script, host, port}
	return StartScript(t, exec.Command("node", append(flags, args...)...))
}

// StartScript starts a program that reads and prints lines. At the end of the test its input ends,
// and so must it, without an error. After a failure it is killed: it may wait for what does not come.
func StartScript(t testing.TB, cmd *exec.Cmd) *Node {
	t.Helper()
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
		s.Buffer(nil, 8<<20)
		for s.Scan() {
			lines <- s.Text()
		}
		_, _ = io.Copy(io.Discard, out) // a line was too long
	}()
	t.Cleanup(func() {
		_ = in.Close()
		if t.Failed() {
			_ = cmd.Process.Kill()
		}
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", cmd.Path, err)
		}
	})
	return &Node{Say: in, Lines: lines}
}

// Tell writes a value to the program, as a line of JSON.
func (n *Node) Tell(t testing.TB, what any) {
	t.Helper()
	line, err := json.Marshal(what)
	if err == nil {
		_, err = n.Say.Write(append(line, '\n'))
	}
	if err != nil {
		t.Fatal(err)
	}
}

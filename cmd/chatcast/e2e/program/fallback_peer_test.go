package program_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// fallbackPeer is pusher-js in Node, with one transport.
type fallbackPeer struct {
	t     *testing.T
	say   io.WriteCloser
	lines chan string
	heard []string // received and not yet returned by next
}

func startFallback(t *testing.T, base, transport, token string) *fallbackPeer {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--no-deprecation", "../testdata/browser/fallback.cjs", host, port, transport, token)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f := &fallbackPeer{t: t, say: in, lines: make(chan string, 10_000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 4<<20)
		for s.Scan() {
			f.lines <- s.Text()
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		in.Close()
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	return f
}

// do sends the peer a command.
func (f *fallbackPeer) do(command ...any) {
	f.t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.say.Write(append(line, '\n')); err != nil {
		f.t.Fatal(err)
	}
}

// next waits for the next report whose JSON has this prefix. Earlier reports are kept
// for later calls.
func (f *fallbackPeer) next(begin string) string {
	f.t.Helper()
	for i, line := range f.heard {
		if strings.HasPrefix(line, begin) {
			f.heard = append(f.heard[:i], f.heard[i+1:]...)
			return line
		}
	}
	timeout := time.After(testwait.Long)
	for {
		select {
		case line, ok := <-f.lines:
			switch {
			case !ok:
				f.t.Fatalf("node ended before %s; it said %s", begin, f.heard)
			case strings.HasPrefix(line, begin):
				return line
			}
			f.heard = append(f.heard, line)
		case <-timeout:
			f.t.Fatalf("waited for %s in vain; node said %s", begin, f.heard)
		}
	}
}

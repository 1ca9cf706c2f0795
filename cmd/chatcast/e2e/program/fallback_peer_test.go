package program_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// fallbackPeer is pusher-js in Node, with one transport.
type fallbackPeer struct {
	*e2e.Node
	t     *testing.T
	heard []string // received and not yet returned by next
}

func startFallback(t *testing.T, base, transport, token string) *fallbackPeer {
	t.Helper()
	return &fallbackPeer{Node: e2e.StartNode(t, "fallback.cjs", base, transport, token), t: t}
}

// do sends the peer a command.
func (f *fallbackPeer) do(command ...any) {
	f.t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.Say.Write(append(line, '\n')); err != nil {
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
		case line, ok := <-f.Lines:
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

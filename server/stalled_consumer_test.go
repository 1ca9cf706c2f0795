package server_test

import (
	"strings"
	"testing"
	"time"

	"chatcast/server"
)

// A client that reads nothing for too long is a slow consumer too, however much room
// its queue still has: the log and the metrics must not say that it left by itself.
func TestStalledConsumer(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 1 << 30, WriteTimeout: 50 * time.Millisecond})
	h.dial(t)
	s := receive(t, h.sessions, "session")
	frame := text(strings.Repeat("x", 1<<20))
	for range 64 { // more than the kernel takes
		s.Queue(frame)
	}
	if r := receive(t, h.closed, "end"); r != server.SlowConsumer {
		t.Errorf("ended as %s", r)
	}
	h.stop()
	if n := h.Stats().Ended[server.SlowConsumer]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

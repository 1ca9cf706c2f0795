package testwait

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// Output is what a program, or its log, has written so far. It is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String returns what was written.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Await waits until text was written.
func (o *Output) Await(t testing.TB, text string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(Long); !strings.Contains(o.String(), text); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%q did not come; there is\n%s", text, o)
		}
	}
}

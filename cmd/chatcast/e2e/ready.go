package e2e

import (
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// AwaitReady waits until /readyz answers with the status and a body that contains part.
func AwaitReady(t testing.TB, base string, status int, part string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Long); ; <-tick.C {
		got, body := Get(t, base+"/readyz")
		if got == status && strings.Contains(body, part) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("/readyz answers %d %s, want %d with %s", got, body, status, part)
		}
	}
}

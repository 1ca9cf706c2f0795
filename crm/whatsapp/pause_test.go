package whatsapp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestPause checks that what fails in a row is left alone for longer each time, up to a limit.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pause
		for i, want := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 80 * time.Second, 80 * time.Second} {
			p.add(errors.New("refused"), 15*time.Second, 80*time.Second)
			if got := p.left(); got != want {
				t.Errorf("after %d failures it is left alone for %s", i+1, got)
			}
		}
		time.Sleep(81 * time.Second)
		if got := p.left(); got != 0 {
			t.Errorf("the pause does not end: %s", got)
		}
		p.add(nil, 15*time.Second, time.Hour)
		p.add(errors.New("refused"), 15*time.Second, time.Hour)
		if got := p.left(); got != 15*time.Second {
			t.Errorf("after a success it is left alone for %s", got)
		}
	})
}

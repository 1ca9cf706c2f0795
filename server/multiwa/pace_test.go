package multiwa

import (
	"testing"
	"time"
)

// TestPace checks that messages beyond the rate wait.
func TestPace(t *testing.T) {
	p, now := newPace(10, 3), time.Unix(1000, 0)
	for i := range 3 {
		p.spend(now)
		if wait := p.wait(now); wait != 0 {
			t.Fatalf("message %d waits %v", i, wait)
		}
	}
	p.spend(now)
	if wait := p.wait(now); wait != 100*time.Millisecond {
		t.Errorf("the fourth waits %v", wait)
	}
	if wait := p.wait(now.Add(150 * time.Millisecond)); wait != 0 {
		t.Errorf("later it waits %v", wait)
	}
	p.wait(now.Add(time.Hour))
	if p.tokens != 3 {
		t.Errorf("after an hour there is room for %v", p.tokens)
	}
	p.wait(now) // the clock was put back
	if p.tokens != 3 {
		t.Errorf("then for %v", p.tokens)
	}
}

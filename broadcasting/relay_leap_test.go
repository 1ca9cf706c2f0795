package broadcasting_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// TestRelayKeepsTheJournalWhenTheClockLeaps puts the clock forward by more than the retention.
// Nothing is pruned for a day.
func TestRelayKeepsTheJournalWhenTheClockLeaps(t *testing.T) {
	var ahead atomic.Int64
	clock := func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Add(time.Duration(ahead.Load())), now.Sub(time.Unix(0, 0))
	}
	inBubble(t, broadcasting.RelayOptions{Retention: time.Hour, Clock: clock}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		j.commit("young", "x")
		r.Wake()
		time.Sleep(time.Minute)
		ahead.Store(int64(365 * 24 * time.Hour))
		for _, want := range []struct {
			after  time.Duration
			pruned int
		}{{23 * time.Hour, 0}, {2 * time.Hour, 1}} {
			time.Sleep(want.after)
			synctest.Wait()
			if _, pruned := j.state(); pruned != want.pruned {
				t.Errorf("%d entries were pruned, want %d", pruned, want.pruned)
			}
		}
	})
}

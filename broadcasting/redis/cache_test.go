package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/redis"
	"chatcast/broadcasting/redis/redistest"
)

// TestVersionsNeverGoBack tests it for a Redis that has lost the versions.
func TestVersionsNeverGoBack(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 1, redis.Options{})
	last := uint64(0)
	for range 3 {
		if err := publish(t, nodes[0], "x"); err != nil {
			t.Fatal(err)
		}
		got, err := nodes[0].Broker().Last(t.Context(), "1", "cache-a")
		if err != nil || got.Version <= last {
			t.Errorf("version %d after %d, %v", got.Version, last, err)
		}
		last = got.Version
		s.Do("FLUSHALL")
	}
}

// TestCacheLimits tests that kept events expire, and that the oldest make room.
func TestCacheLimits(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 1, redis.Options{Beat: 100 * time.Millisecond}) // it sweeps every ten beats
	n := nodes[0]
	// On a busy machine a node with such a beat may take itself for deaf, and join again.
	has := func(channel string) (kept bool) {
		clustertest.Until(t, "the last event is known", func() bool {
			last, err := n.Broker().Last(t.Context(), "1", channel)
			kept = last.Version > 0
			return err == nil
		})
		return kept
	}
	put := func(channel string, bytes int) {
		clustertest.Until(t, "an event is published", func() bool {
			return n.Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Data: strings.Repeat("x", bytes)}) == nil
		})
	}
	n.SetCacheLimits(time.Hour, 4_000)
	put("cache-a", 10)
	put("cache-a", 5_000)
	if has("cache-a") {
		t.Error("an event beyond the limit is kept, or the one before it is still the last")
	}
	for i := range 4 {
		put(fmt.Sprintf("cache-%d", i), 1_000)
	}
	clustertest.Until(t, "the oldest event makes room", func() bool { return !has("cache-0") })
	if !has("cache-3") || !has("cache-2") {
		t.Error("a newer event is gone")
	}
	n.SetCacheLimits(time.Millisecond, 4_000)
	put("cache-3", 1)
	clustertest.Until(t, "an event expires", func() bool { return !has("cache-3") })
}

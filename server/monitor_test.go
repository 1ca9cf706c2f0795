package server_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

// counting is a set of counters that a test changes; a reading may be delayed.
type counting struct {
	mu     sync.Mutex // guards the fields below
	now    server.Counters
	heldUp time.Duration // delay of the next reading
}

func (c *counting) read() server.Counters {
	c.mu.Lock()
	held := c.heldUp
	c.heldUp = 0
	c.mu.Unlock()
	time.Sleep(held) // in fake time
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now
	now.Sockets.Ended = map[server.Reason]uint64{}
	for r, n := range c.now.Sockets.Ended {
		now.Sockets.Ended[r] = n
	}
	return now
}

func (c *counting) change(f func(now *server.Counters)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.now)
}

// watched runs the test in fake time with a monitor that runs.
func watched(t *testing.T, test func(t *testing.T, c *counting, m *server.Monitor)) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		c.now.Sockets.Ended = map[server.Reason]uint64{server.PeerGone: 100}
		c.now.Sockets.Accepted, c.now.Engine.Published, c.now.Engine.Delivered = 100, 1000, 10_000
		c.now.Relay.Published = 77 // counted before this start
		m := server.NewMonitor(c.read)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		synctest.Wait()
		test(t, c, m)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestMonitorTellsRates(t *testing.T) {
	watched(t, func(t *testing.T, c *counting, m *server.Monitor) {
		if h := m.History(); len(h) > 0 {
			t.Errorf("a history at the start: %+v", h)
		}
		start := time.Now()
		c.change(func(now *server.Counters) {
			now.Sockets.Open = 7
			now.Sockets.Accepted += 10
			now.Sockets.Ended[server.PeerGone] += 2
			now.Sockets.Ended[server.Silent] += 3
			now.Engine.Published += 50
			now.Engine.Delivered += 5000
			now.Relay.Published, now.Relay.Entries = 10_077, 25 // most of them published by an earlier node
		})
		time.Sleep(2 * server.MonitorInterval)
		synctest.Wait()
		h := m.History()
		if len(h) != 2 {
			t.Fatalf("%d samples after two intervals", len(h))
		}
		want := server.Sample{
			Time: start.Add(5 * time.Second), Sockets: 7, Accepted: 2, Ended: 1, Published: 10, Delivered: 1000, Journal: 5,
		}
		if h[0] != want {
			t.Errorf("first  %+v\nwant   %+v", h[0], want)
		}
		if quiet := (server.Sample{Time: start.Add(10 * time.Second), Sockets: 7}); h[1] != quiet {
			t.Errorf("second %+v\nwant   %+v", h[1], quiet)
		}
		if got := m.Counters(); got.Sockets.Accepted != 110 || got.Relay.Published != 10_077 {
			t.Errorf("counters now: %+v", got)
		}
	})
}

// The rate of a late sample is over the time that really passed, and the sample after
// it does not cover just a moment.
func TestMonitorSamplesLate(t *testing.T) {
	watched(t, func(t *testing.T, c *counting, m *server.Monitor) {
		start := time.Now()
		c.change(func(*server.Counters) { c.heldUp = 7 * time.Second })
		time.Sleep(6 * time.Second) // the reading has begun, and hangs
		c.change(func(now *server.Counters) { now.Engine.Published += 120 })
		time.Sleep(6*time.Second + time.Nanosecond)
		synctest.Wait()
		h := m.History()
		if len(h) != 1 || h[0].Time.Sub(start) != 12*time.Second || h[0].Published != 10 {
			t.Fatalf("late: %+v", h)
		}
		c.change(func(now *server.Counters) { now.Engine.Published += 20 })
		time.Sleep(server.MonitorInterval)
		synctest.Wait()
		if h = m.History(); len(h) != 2 || h[1].Time.Sub(h[0].Time) != server.MonitorInterval || math.Abs(h[1].Published-4) > 1e-9 {
			t.Errorf("after it: %+v", h)
		}
	})
}

func TestMonitorForgets(t *testing.T) {
	watched(t, func(t *testing.T, c *counting, m *server.Monitor) {
		for i := range 2*server.MonitorSamples + 10 {
			c.change(func(now *server.Counters) { now.Sockets.Open = i + 1 })
			time.Sleep(server.MonitorInterval)
			synctest.Wait()
			h := m.History()
			if len(h) != min(i+1, server.MonitorSamples) {
				t.Fatalf("%d samples after %d intervals", len(h), i+1)
			}
			for j, s := range h {
				if want := i + 1 - (len(h) - 1 - j); s.Sockets != want {
					t.Fatalf("after %d intervals sample %d is the %dth, want the %dth", i+1, j, s.Sockets, want)
				}
			}
		}
		if h := m.History(); h[len(h)-1].Time.Sub(h[0].Time) < 14*time.Minute+55*time.Second {
			t.Errorf("reaches back %v", h[len(h)-1].Time.Sub(h[0].Time))
		}
	})
}

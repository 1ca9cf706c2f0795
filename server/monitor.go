package server

import (
	"context"
	"sync"
	"time"

	"chatcast/broadcasting"
)

// A Monitor keeps MonitorSamples samples, one for each MonitorInterval.
const (
	MonitorInterval = 5 * time.Second
	MonitorSamples  = int(15 * time.Minute / MonitorInterval)
)

// Counters are the counters of a node's components, read at one time.
type Counters struct {
	Sockets Stats
	Engine  broadcasting.Stats
	Relay   broadcasting.RelayHealth
	Ready   bool // the relay works
}

// ReadCounters reads the counters now.
func ReadCounters(sockets *Server, engine *broadcasting.Engine, relay *broadcasting.Relay) Counters {
	return Counters{Sockets: sockets.Stats(), Engine: engine.Stats(), Relay: relay.Health(), Ready: relay.Ready() == nil}
}

// Sample is how busy a node was: the sockets open at a time, and the rates per second
// since the sample before.
type Sample struct {
	Time      time.Time
	Sockets   int
	Accepted  float64 // sockets
	Ended     float64 // sockets
	Published float64 // events given to the engine
	Delivered float64 // frames of events queued for sockets
	Journal   float64 // entries of the journal published by this node
}

// Monitor keeps the last quarter of an hour of a node's counters as samples, in memory
// of a fixed size. It reads existing counters a few times a minute, so it does not slow
// down the code that counts. It is safe for concurrent use.
type Monitor struct {
	// static
	read func() Counters

	mu sync.Mutex
	// guarded by mu
	ring [MonitorSamples]Sample
	n    int // samples ever taken; the next one goes to index n modulo the ring's length
}

// NewMonitor returns a Monitor of the counters that read returns. It samples while Run
// runs.
func NewMonitor(read func() Counters) *Monitor { return &Monitor{read: read} }

// Counters reads the counters now.
func (m *Monitor) Counters() Counters { return m.read() }

// History lists the samples, oldest first.
func (m *Monitor) History() []Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.n <= MonitorSamples {
		return append([]Sample(nil), m.ring[:m.n]...)
	}
	oldest := m.n % MonitorSamples
	return append(append(make([]Sample, 0, MonitorSamples), m.ring[oldest:]...), m.ring[:oldest]...)
}

// Run samples until ctx ends. A sample may be late on a busy machine: the next is due a
// whole interval after it, and rates use the time that really passed.
func (m *Monitor) Run(ctx context.Context) error {
	before, at := m.read(), time.Now()
	due := time.NewTimer(MonitorInterval)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due.C:
		}
		counters, now := m.read(), time.Now()
		m.keep(sample(before, counters, now, now.Sub(at)))
		before, at = counters, now
		due.Reset(MonitorInterval)
	}
}

func (m *Monitor) keep(s Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ring[m.n%MonitorSamples] = s
	m.n++
}

// sample returns the Sample between two readings.
func sample(before, after Counters, at time.Time, passed time.Duration) Sample {
	rate := func(from, to uint64) float64 { return float64(to-from) / passed.Seconds() }
	return Sample{
		Time: at, Sockets: after.Sockets.Open,
		Accepted:  rate(before.Sockets.Accepted, after.Sockets.Accepted),
		Ended:     rate(before.Sockets.ended(), after.Sockets.ended()),
		Published: rate(before.Engine.Published, after.Engine.Published),
		Delivered: rate(before.Engine.Delivered, after.Engine.Delivered),
		Journal:   rate(before.Relay.Entries, after.Relay.Entries),
	}
}

// ended returns how many sockets have ended, for any reason.
func (s Stats) ended() (n uint64) {
	for _, of := range s.Ended {
		n += of
	}
	return n
}

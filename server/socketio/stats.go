package socketio

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are the counters of a Server. Those of transports, queues and reasons are in
// server.Stats.
type Stats struct {
	Connections  int               // now
	WebSockets   int               // of them
	Namespaces   int               // that clients are in, now
	Accepted     uint64            // connections, ever
	Upgraded     uint64            // from polling, ever
	Recovered    uint64            // clients that went on where they were, ever
	NotRecovered uint64            // clients that wanted to, and could not, ever
	Ignored      uint64            // events of clients that nobody handles, ever
	Refused      map[string]uint64 // handshakes and namespaces, by reason, ever
}

type counters struct {
	now, namespaces                                 atomic.Int64
	accepted, upgrades, recoveries, lost, unhandled atomic.Uint64

	mu      sync.Mutex
	reasons map[string]uint64 // guarded by mu
}

// maxReasons bounds the reasons that are counted apart. Rooms chooses some of them.
const maxReasons = 100

func (c *counters) began()        { c.now.Add(1); c.accepted.Add(1) }
func (c *counters) ended()        { c.now.Add(-1) }
func (c *counters) entered()      { c.namespaces.Add(1) }
func (c *counters) left()         { c.namespaces.Add(-1) }
func (c *counters) upgraded()     { c.upgrades.Add(1) }
func (c *counters) recovered()    { c.recoveries.Add(1) }
func (c *counters) notRecovered() { c.lost.Add(1) }
func (c *counters) ignored()      { c.unhandled.Add(1) }

func (c *counters) refused(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reasons == nil {
		c.reasons = map[string]uint64{}
	}
	if _, known := c.reasons[reason]; !known && len(c.reasons) >= maxReasons {
		reason = "other"
	}
	c.reasons[reason]++
}

// Stats returns the counters now.
func (s *Server) Stats() Stats {
	c := &s.counters
	st := Stats{
		Connections: int(c.now.Load()), Namespaces: int(c.namespaces.Load()),
		Accepted: c.accepted.Load(), Upgraded: c.upgrades.Load(), Recovered: c.recoveries.Load(),
		NotRecovered: c.lost.Load(), Ignored: c.unhandled.Load(),
	}
	s.mu.Lock()
	for _, k := range s.conns {
		if k.isWebSocket() {
			st.WebSockets++
		}
	}
	s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	st.Refused = maps.Clone(c.reasons)
	return st
}

package webhook

import (
	"crypto/rand"
	"strings"
	"time"
)

// reserve reserves room for events of size bytes, and returns false when there is none.
// One byte more is for the comma, or the end, behind them.
func (s *sender) reserve(events, size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	size++
	if s.events >= queueEvents || s.events > 0 && s.bytes+size > queueBytes {
		return false
	}
	s.events += events
	s.bytes += size
	return true
}

// unreserve gives back the room of d, which another process delivers.
func (s *sender) unreserve(d *draft) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events -= d.Count
	s.bytes -= d.size
}

// resume takes room for a delivery that was committed before the lease was taken, and
// queues it.
func (s *sender) resume(d Delivery, now time.Time) {
	s.mu.Lock()
	s.events += d.Count
	s.bytes += len(d.Events) + 1
	s.mu.Unlock()
	s.put(d, now)
}

// put queues a committed delivery for which room was reserved.
func (s *sender) put(d Delivery, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, waiting{d, now})
}

// shift removes the first n deliveries from the queue.
func (s *sender) shift(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		s.events -= s.queue[i].Count
		s.bytes -= len(s.queue[i].Events) + 1
		s.queue[i] = waiting{}
	}
	s.queue = s.queue[n:]
}

// pending returns how many events wait.
func (s *sender) pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// oldest returns how long the first delivery has waited in this process; 0: none waits.
func (s *sender) oldest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return 0
	}
	return max(0, time.Since(s.queue[0].since))
}

// post is one webhook request: the first deliveries of the queue, with the same body in
// each attempt.
type post struct {
	id     string
	parts  []waiting
	count  int    // of events
	events string // joined with commas
	body   []byte
	tries  int // failed ones
}

// next makes a post of the first deliveries in the queue, or returns nil when there are
// none.
func (s *sender) next(now time.Time) *post {
	single := s.to.Load().Single
	s.mu.Lock()
	defer s.mu.Unlock()
	p, size := &post{id: rand.Text()}, 0
	var texts []string
	for _, w := range s.queue {
		if len(p.parts) > 0 && (single || p.count+w.Count > postEvents || size+len(w.Events) > postBytes) {
			break
		}
		p.parts, texts = append(p.parts, w), append(texts, w.Events)
		p.count += w.Count
		size += len(w.Events) + 1
	}
	if len(p.parts) == 0 {
		return nil
	}
	p.events, p.body = strings.Join(texts, ","), body(now.UnixMilli(), texts...)
	return p
}

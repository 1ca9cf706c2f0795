package api

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
)

// MaxEventStreams is how many streams of events one user may have open on a node.
const MaxEventStreams = 32

// Defaults of EventStreamOptions.
const (
	streamHeartbeat = 25 * time.Second // proxies cut what is silent for a minute
	streamWriteTime = 10 * time.Second
)

// StreamEngine is the part of the engine that streams use. A stream is a subscriber like a
// socket: the engine wakes it, and ends it with its session and its rights.
type StreamEngine interface {
	Connect(p broadcasting.Peer) (*broadcasting.Conn, error)
	Grant(ctx context.Context, app, socketID string, o broadcasting.Owner, channel, data string) (found bool, err error)
}

var _ StreamEngine = (*broadcasting.Engine)(nil)

// EventStreamOptions are the options of NewEventStreams.
type EventStreamOptions struct {
	Engine        StreamEngine
	App           string        // the app that carries the CRM's channels
	CountsEnabled func() bool   // whether its subscribers are told their number now; nil: they are not
	Heartbeat     time.Duration // of silence, after which a comment is sent [25 s]
	WriteTimeout  time.Duration // for a client to take 64 KiB [10 s]
}

// EventStreams knows the streams of events that are open on this node.
type EventStreams struct {
	EventStreamOptions // static

	mu sync.Mutex
	// guarded by mu
	open     int
	byUser   map[int64]int           // how many are open
	byTicket map[string]*eventStream // the open stream of each ticket
	stats    EventStreamStats        // but Open
}

// EventStreamStats are the counters of EventStreams.
type EventStreamStats struct {
	Open   int
	Events uint64               // written
	Lost   uint64               // streams that could not go on from where they asked to
	Ended  map[StreamEnd]uint64 // by reason
}

// StreamEnd is why a stream ended. It is a label of a metric.
type StreamEnd string

// Reasons for the end of a stream.
const (
	StreamClientGone  StreamEnd = "client_gone"
	StreamSlow        StreamEnd = "slow_consumer" // it did not take what was written
	StreamAccessEnded StreamEnd = "access_ended"  // its session or its right
	StreamReplaced    StreamEnd = "replaced"      // its ticket opened another one
	StreamStopping    StreamEnd = "stopping"      // the server
	StreamFailed      StreamEnd = "failed"        // the journal could not be read
)

// Causes for which a stream's context ends.
var (
	errAccessEnded = errors.New("api: the access of the stream has ended")
	errReplaced    = errors.New("api: the ticket of the stream has opened another one")
)

// NewEventStreams returns EventStreams without any.
func NewEventStreams(o EventStreamOptions) *EventStreams {
	if o.CountsEnabled == nil {
		o.CountsEnabled = func() bool { return false }
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = streamHeartbeat
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = streamWriteTime
	}
	return &EventStreams{
		EventStreamOptions: o, byUser: map[int64]int{}, byTicket: map[string]*eventStream{},
		stats: EventStreamStats{Ended: map[StreamEnd]uint64{}},
	}
}

// Stats returns the counters now.
func (s *EventStreams) Stats() EventStreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.stats
	now.Open, now.Ended = s.open, maps.Clone(s.stats.Ended)
	return now
}

// enter lists a stream, if its user may have another one. The stream takes the place of the
// one that its ticket has opened before: that one's client is gone, or somebody else has the
// ticket, and two cannot go on with it.
func (s *EventStreams) enter(e *eventStream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byTicket[e.ticket]
	if before != nil {
		before.end(errReplaced)
	}
	if s.byUser[e.who.UserID] >= MaxEventStreams && before == nil {
		return &crm.Error{Code: crm.CodeThrottled, Message: "too many streams of events are open already", RetryAfter: 1}
	}
	s.open++
	s.byUser[e.who.UserID]++
	if e.ticket != "" {
		s.byTicket[e.ticket] = e
	}
	return nil
}

// leave undoes enter.
func (s *EventStreams) leave(e *eventStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.byUser[e.who.UserID]--; s.byUser[e.who.UserID] == 0 {
		delete(s.byUser, e.who.UserID)
	}
	if s.byTicket[e.ticket] == e {
		delete(s.byTicket, e.ticket)
	}
}

// count adds to the counters.
func (s *EventStreams) count(add func(stats *EventStreamStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.stats)
}

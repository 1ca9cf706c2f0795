package api

import (
	"context"
	"errors"
	"os"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/server"
)

const (
	// streamChunk is how many bytes are written at a time, except for a larger event.
	streamChunk = 64 << 10
	// streamLook is after how many heartbeats a silent stream looks at the journal. Nothing
	// depends on it: it keeps the client's position from becoming too old.
	streamLook = 24
)

// eventStream is one open stream of events. It belongs to the goroutine of its request,
// except Queue and end.
type eventStream struct {
	// static
	of     *EventStreams
	rules  *crm.Service
	who    crm.TokenSession
	name   channels.Name
	ticket string        // the ticket that opened it; empty: an access token did
	resume bool          // the client has come back, and knows where it was
	wake   chan struct{} // holds one: look at the journal
	ctx    context.Context
	end    context.CancelCauseFunc
	conn   *broadcasting.Conn // nil until the stream is registered

	out     *server.Stream
	entered bool  // it is listed
	after   int64 // the cursor
	told    int64 // the last number that the client has
	failed  error // why the journal could not be read
}

var _ broadcasting.Queue = (*eventStream)(nil)

// Queue implements broadcasting.Queue.
func (s *eventStream) Queue(frame []byte) {
	switch string(frame) {
	case string(lookFrame):
		select {
		case s.wake <- struct{}{}:
		default: // it will look anyway
		}
	case string(lostFrame):
		s.end(errAccessEnded)
	}
}

// run writes the first page and what follows, until the stream ends.
func (s *eventStream) run(page *crm.StreamPage) StreamEnd {
	err := s.out.Write(s.beginning(page))
	silence := time.NewTimer(s.of.Heartbeat)
	defer silence.Stop()
	for err == nil {
		if err = s.writePage(page); err == nil && !page.More {
			err = s.wait(silence)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) { // which ends the context too
			return StreamSlow
		}
		if s.ctx.Err() != nil {
			return s.goodbye()
		}
		if err != nil {
			break
		}
		var unread error
		if page, unread = s.read(); unread != nil {
			return s.unreadable(unread)
		}
	}
	return StreamClientGone
}

// beginning returns the first blocks: when the client shall come back after a cut, and to
// where if no event has come by then.
func (s *eventStream) beginning(page *crm.StreamPage) []byte {
	b := append(retryLine(nil), '\n')
	if page.Lost {
		return b
	}
	if s.told = s.after; s.after == crm.FromNow {
		s.told = page.Next
	}
	if s.resume {
		return b
	}
	return positionFrame(b, s.told)
}

// writePage writes the events of a page or, if there are none and the journal has grown
// without them, where the client comes back to.
func (s *eventStream) writePage(page *crm.StreamPage) error {
	s.after = page.Next
	var b []byte
	switch {
	case page.Lost:
		b, s.told = resumeFailedFrame(b, page.Next, page.Oldest), page.Next
	case len(page.Items) == 0 && page.Next > s.told:
		b, s.told = positionFrame(b, page.Next), page.Next
	}
	s.of.count(func(stats *EventStreamStats) {
		stats.Events += uint64(len(page.Items))
		if page.Lost {
			stats.Lost++
		}
	})
	for _, e := range page.Items {
		b, s.told = eventFrame(b, e), e.ID
		if len(b) < streamChunk {
			continue
		}
		if err := s.out.Write(b); err != nil || s.ctx.Err() != nil { // nothing more after the end of the access
			return err
		}
		b = b[:0]
	}
	if s.ctx.Err() != nil {
		return nil
	}
	return s.out.Write(b)
}

// wait returns when the stream shall look at the journal, or has ended. Meanwhile it writes
// heartbeats.
func (s *eventStream) wait(silence *time.Timer) error {
	silence.Reset(s.of.Heartbeat)
	for beats := 1; ; beats++ {
		select {
		case <-s.ctx.Done():
			return nil
		case <-s.wake:
			return nil
		case <-silence.C:
		}
		if err := s.out.Write(heartbeatFrame); err != nil || beats == streamLook {
			return err
		}
		silence.Reset(s.of.Heartbeat)
	}
}

// unreadable ends a stream that could not read on.
func (s *eventStream) unreadable(err error) StreamEnd {
	var refused *crm.Error
	switch {
	case s.ctx.Err() != nil:
		return s.goodbye()
	case errors.As(err, &refused):
		return StreamAccessEnded
	}
	s.failed = err
	return StreamFailed
}

// goodbye ends a stream whose context has ended, and returns why. The clients of a server
// that stops come back at different times.
func (s *eventStream) goodbye() StreamEnd {
	switch cause := context.Cause(s.ctx); {
	case errors.Is(cause, errAccessEnded):
		return StreamAccessEnded
	case errors.Is(cause, errReplaced):
		return StreamReplaced
	case s.stopping():
		_ = s.out.Write(append(retryLine(nil), '\n')) // it comes back without it too
		return StreamStopping
	}
	return StreamClientGone
}

// stopping reports whether the server has ended the stream because it stops.
func (s *eventStream) stopping() bool {
	switch cause := context.Cause(s.ctx); cause {
	case nil, context.Canceled, errAccessEnded, errReplaced:
		return false
	default:
		return true
	}
}

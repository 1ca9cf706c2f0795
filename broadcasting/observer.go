package broadcasting

import "time"

// Observer takes measured times. Observe is called for every event: it must be quick,
// take no lock and not allocate. A histogram of Prometheus is one.
type Observer interface{ Observe(seconds float64) }

// Mark goes with a journalled event from its change to a socket, to measure the way. It
// does not change.
type Mark struct {
	Committed int64 // when the change was made, in unix microseconds
	Trace     Trace
}

// Trace identifies the span of the change that caused an event, as the W3C's Trace
// Context does. The zero value means that it is not traced.
type Trace struct {
	ID   [16]byte
	Span [8]byte
}

// Since returns the seconds since the change. Clocks may go back.
func (m *Mark) Since() float64 { return since(m.Committed) }

// MarkedQueue is a Queue that can tell when a frame was handed to the network.
type MarkedQueue interface {
	Queue
	// QueueMarked is Queue for the frame of an event with a mark.
	QueueMarked(frame []byte, mark *Mark)
}

// queueMarked queues a frame, of an event with a mark if mark is not nil.
func queueMarked(out Queue, frame []byte, mark *Mark) {
	if marked, ok := out.(MarkedQueue); ok && mark != nil {
		marked.QueueMarked(frame, mark)
		return
	}
	out.Queue(frame)
}

// since returns the seconds since a time in unix microseconds.
func since(microseconds int64) float64 {
	return max(0, float64(time.Now().UnixMicro()-microseconds)/1e6)
}

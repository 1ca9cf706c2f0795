package server

import "chatcast/broadcasting"

// queue holds the frames that wait for one client, bounded in bytes, and whether and
// why it accepts no more. It has no lock of its own: connBase.mu guards it.
type queue struct {
	frames  [][]byte // not yet taken
	bytes   int      // not yet written, including frames that were taken
	closing bool     // only Close may still push
	reason  Reason   // why it is closing

	mark *broadcasting.Mark // of the first frame not yet taken that has one
}

// full reports whether a frame does not fit within limit bytes. An empty queue has room
// for a frame of any size, since even a quick client could not free more room.
func (q *queue) full(frame []byte, limit int) bool {
	return q.bytes > 0 && q.bytes+len(frame) > limit
}

// push queues a frame, whether or not there is room.
func (q *queue) push(frame []byte) {
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
}

// close records why the queue ends; only the first call counts and returns true. The
// frames of a slow consumer are dropped, so that the reason reaches it instead.
func (q *queue) close(r Reason) bool {
	if q.closing {
		return false
	}
	q.closing, q.reason = true, r
	if r == SlowConsumer {
		q.drop()
	}
	return true
}

// drop drops the frames that wait. Frames already taken are still written.
func (q *queue) drop() {
	for _, f := range q.frames {
		q.bytes -= len(f)
	}
	clear(q.frames)
	q.frames, q.mark = q.frames[:0], nil
}

// swap takes all waiting frames and leaves an empty slice for the next ones.
func (q *queue) swap(empty [][]byte) (frames [][]byte) {
	frames, q.frames = q.frames, empty
	return frames
}

// take takes as many frames as fit into limit bytes, and at least one if there is any.
func (q *queue) take(limit int) (frames [][]byte) {
	n, size := 0, 0
	for n < len(q.frames) && (n == 0 || size+len(q.frames[n]) <= limit) {
		size += len(q.frames[n])
		n++
	}
	frames, q.frames = q.frames[:n:n], q.frames[n:]
	if len(q.frames) == 0 {
		q.frames = nil
	}
	return frames
}

// written makes room: n bytes of the frames taken have been written.
func (q *queue) written(n int) { q.bytes -= n }

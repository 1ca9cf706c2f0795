package server

// queue holds the frames that wait for one client, bounded in bytes, and says
// whether and why no more may come. It has no lock of its own: connBase.mu guards
// it.
type queue struct {
	frames  [][]byte // wait to be taken
	bytes   int      // not yet written: those of frames, and of what was taken
	closing bool     // nothing more may be queued but what Close pushes
	reason  Reason   // why, once closing
}

// full says whether there is no room for a frame within limit bytes. An empty queue
// has room for a frame of any size: no client, however quick, could make more.
func (q *queue) full(frame []byte, limit int) bool {
	return q.bytes > 0 && q.bytes+len(frame) > limit
}

// push queues a frame, whether or not there is room.
func (q *queue) push(frame []byte) {
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
}

// close notes why the queue ends; only the first call counts and returns true. What
// waits for a slow consumer is dropped: the reason should reach it instead.
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

// drop forgets the frames that wait. What was taken is still being written.
func (q *queue) drop() {
	for _, f := range q.frames {
		q.bytes -= len(f)
	}
	clear(q.frames)
	q.frames = q.frames[:0]
}

// swap takes all that waits and leaves an empty slice for what comes.
func (q *queue) swap(empty [][]byte) (frames [][]byte) {
	frames, q.frames = q.frames, empty
	return frames
}

// take takes as many frames as fit into limit bytes, at least one if there is one.
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

// written makes room: n bytes of what was taken have been written.
func (q *queue) written(n int) { q.bytes -= n }

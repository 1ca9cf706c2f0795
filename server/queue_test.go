package server

import (
	"bytes"
	"testing"
)

// sized returns frames of these sizes, each filled with a letter of its own.
func sized(sizes ...int) (frames [][]byte) {
	for i, n := range sizes {
		frames = append(frames, bytes.Repeat([]byte{'a' + byte(i)}, n))
	}
	return frames
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	const limit = 100
	var q queue
	large, rest := sized(5 * limit)[0], sized(60, 40, 1)
	if q.full(large, limit) {
		t.Error("an empty queue has no room for a large frame")
	}
	q.push(large)
	if !q.full(rest[2], limit) {
		t.Error("there is room behind a frame larger than the queue")
	}
	taken := q.take(limit)
	if len(taken) != 1 || !q.full(rest[2], limit) {
		t.Errorf("%d frames are taken; what is taken and not written should count", len(taken))
	}
	q.written(len(large))
	for i, f := range rest {
		if got, want := q.full(f, limit), i == 2; got != want {
			t.Errorf("with %d bytes, full for %d more: %v", q.bytes, len(f), got)
		}
		q.push(f)
	}
}

func TestQueueIsTakenInOrder(t *testing.T) {
	var q queue
	frames := sized(60, 40, 1, 200, 5)
	for _, f := range frames {
		q.push(f)
	}
	next := 0
	for _, want := range []int{2, 1, 1, 1, 0} {
		taken := q.take(100)
		if len(taken) != want {
			t.Fatalf("%d frames are taken after %d, want %d", len(taken), next, want)
		}
		for _, f := range taken {
			if !bytes.Equal(f, frames[next]) {
				t.Errorf("frame %d is %q", next, f)
			}
			next++
			q.written(len(f))
		}
	}
	if q.bytes != 0 || q.frames != nil {
		t.Errorf("%d bytes and %d frames stay in an empty queue", q.bytes, len(q.frames))
	}
	empty := make([][]byte, 0, 4)
	q.push(frames[0])
	if all := q.swap(empty); len(all) != 1 || len(q.frames) != 0 || cap(q.frames) != 4 || q.bytes != 60 {
		t.Errorf("swap gives %d frames and leaves %+v", len(all), q)
	}
}

// Only the first reason counts. Only a slow consumer loses its waiting frames.
func TestQueueCloses(t *testing.T) {
	for reason, left := range map[Reason]int{SlowConsumer: 30, Stopping: 40} {
		var q queue
		for _, f := range sized(30, 10) {
			q.push(f)
		}
		taken := q.take(30)
		if !q.close(reason) || q.close(PeerGone) || !q.closing || q.reason != reason {
			t.Errorf("closed twice, for %s: %+v", reason, q)
		}
		if q.bytes != left || len(q.frames) != left/40 {
			t.Errorf("%s: %d bytes and %d frames are left", reason, q.bytes, len(q.frames))
		}
		if taken[0][0] != 'a' {
			t.Error("what was taken has changed")
		}
	}
}

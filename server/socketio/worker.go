package socketio

import (
	"runtime/debug"
	"sync"
)

// worker runs the handlers of one conn's events in order, in a goroutine that ends when
// nothing waits.
type worker struct {
	failed func(p any, stack string) // called when a handler has panicked; static

	running sync.WaitGroup

	mu sync.Mutex
	// guarded by mu
	waiting []work
	bytes   int // of those that wait or run
	busy    bool
	closed  bool
}

type work struct {
	size int
	f    func()
}

// do runs f after what was given before. It returns false if too much waits.
func (w *worker) do(size int, o Options, f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return true
	case len(w.waiting) >= o.PacketBurst, w.bytes > 0 && w.bytes+size > o.MaxPayload:
		return false
	}
	w.waiting = append(w.waiting, work{size, f})
	w.bytes += size
	if !w.busy {
		w.busy = true
		w.running.Go(w.run)
	}
	return true
}

func (w *worker) run() {
	for {
		w.mu.Lock()
		if len(w.waiting) == 0 {
			w.busy, w.waiting = false, nil
			w.mu.Unlock()
			return
		}
		next := w.waiting[0]
		w.waiting[0] = work{}
		w.waiting = w.waiting[1:]
		w.mu.Unlock()
		w.call(next.f)
		w.mu.Lock()
		w.bytes -= next.size
		w.mu.Unlock()
	}
}

func (w *worker) call(f func()) {
	defer func() {
		if p := recover(); p != nil {
			w.failed(p, string(debug.Stack()))
		}
	}()
	f()
}

// close drops what waits, and returns when nothing runs.
func (w *worker) close() {
	w.mu.Lock()
	w.closed, w.waiting = true, nil
	w.mu.Unlock()
	w.running.Wait()
}

package whatsapp

import (
	"sync"
)

// handlerGoroutines runs the goroutines that handlers start. None starts after end.
type handlerGoroutines struct {
	group sync.WaitGroup
	mu    sync.Mutex
	ended bool // guarded by mu
}

func (h *handlerGoroutines) Go(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.group.Go(f)
	}
}

func (h *handlerGoroutines) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.group.Wait()
}

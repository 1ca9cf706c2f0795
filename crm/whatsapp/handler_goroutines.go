package whatsapp

import (
	"log/slog"
	"sync"
)

// handlerGoroutines runs the goroutines that handlers start. None starts after end. One
// that panics is logged: it must not end the lines of others.
type handlerGoroutines struct {
	log   *slog.Logger // static
	group sync.WaitGroup
	mu    sync.Mutex
	ended bool // guarded by mu
}

func (h *handlerGoroutines) Go(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.group.Go(func() { unlessPanics(h.log, "work for a line", f) })
	}
}

func (h *handlerGoroutines) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.group.Wait()
}

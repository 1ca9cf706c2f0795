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
	ended bool              // guarded by mu
	next  map[string]func() // guarded by mu: of the kinds of work that run; nil: none waits
}

func (h *handlerGoroutines) Go(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.group.Go(func() { unlessPanics(h.log, "work for a line", f) })
	}
}

// Coalesce runs f when no other work of this kind runs. Of what comes meanwhile the last one
// runs after it, in place of all.
func (h *handlerGoroutines) Coalesce(kind string, f func()) {
	h.mu.Lock()
	_, runs := h.next[kind]
	if h.next == nil {
		h.next = map[string]func(){}
	}
	if h.next[kind] = nil; runs {
		h.next[kind] = f
	}
	h.mu.Unlock()
	if runs {
		return
	}
	h.Go(func() {
		for f != nil {
			unlessPanics(h.log, "work for a line", f)
			f = h.after(kind)
		}
	})
}

// after takes the work that waits for the end of another one.
func (h *handlerGoroutines) after(kind string) func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.next[kind]
	if h.next[kind] = nil; f == nil {
		delete(h.next, kind)
	}
	return f
}

func (h *handlerGoroutines) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.group.Wait()
}

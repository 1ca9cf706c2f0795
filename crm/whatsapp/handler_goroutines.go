package whatsapp

import (
	"context"
	"sync"

	"chatcast/crm"
)

// helpers are the goroutines that handlers start. None starts after end.
type helpers struct {
	group sync.WaitGroup
	mu    sync.Mutex
	ended bool // guarded by mu
}

func (h *helpers) Go(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.group.Go(f)
	}
}

func (h *helpers) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.group.Wait()
}

// turns lets one at a time do something with a line. Other lines do not wait.
type turns struct {
	mu   sync.Mutex
	ends map[crm.Line]chan struct{} // guarded by mu: closed when who has the line is done
}

// lock waits for the line's turn, as long as the context does.
func (t *turns) lock(ctx context.Context, l crm.Line) (unlock func(), err error) {
	for {
		t.mu.Lock()
		end := t.ends[l]
		if end == nil {
			if t.ends == nil {
				t.ends = map[crm.Line]chan struct{}{}
			}
			end = make(chan struct{})
			t.ends[l] = end
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.ends, l)
				close(end)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-end:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

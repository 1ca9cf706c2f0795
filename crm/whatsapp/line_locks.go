package whatsapp

import (
	"context"
	"sync"

	"chatcast/crm"
)

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

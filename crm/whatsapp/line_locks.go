package whatsapp

import (
	"context"
	"sync"

	"chatcast/crm"
)

// lineLocks are mutexes, one for each line.
type lineLocks struct {
	mu   sync.Mutex
	ends map[crm.Line]chan struct{} // guarded by mu: closed when the line is unlocked
}

// lock locks the line. It returns ctx's error when ctx ends first.
func (t *lineLocks) lock(ctx context.Context, l crm.Line) (unlock func(), err error) {
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

// turn is a mutex. Waiting for it ends with a context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// lock locks t. It returns ctx's error when ctx ends first.
func (t turn) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

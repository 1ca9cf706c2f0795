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
		unlock, end := t.begin(l)
		if unlock != nil {
			return unlock, nil
		}
		select {
		case <-end:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryLock locks the line unless it is locked.
func (t *lineLocks) tryLock(l crm.Line) (unlock func(), ok bool) {
	unlock, _ = t.begin(l)
	return unlock, unlock != nil
}

// begin locks the line, or returns what is closed when it is unlocked.
func (t *lineLocks) begin(l crm.Line) (unlock func(), end <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if end := t.ends[l]; end != nil {
		return nil, end
	}
	if t.ends == nil {
		t.ends = map[crm.Line]chan struct{}{}
	}
	ours := make(chan struct{})
	t.ends[l] = ours
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.ends, l)
		close(ours)
	}, nil
}

// turn is a mutex. Waiting for it ends with a context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// tryLock locks t if nobody has locked it.
func (t turn) tryLock() (unlock func(), free bool) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, true
	default:
		return nil, false
	}
}

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

package whatsapp

import (
	"context"
	"sync"
	"sync/atomic"
)

// lifetime is the lifetime of one client, which has one connection. It counts the work
// for the client, so that the next connection begins when all of it has ended: then
// events are ingested in order, and a second copy of a message is not handled while the
// first is decrypted.
type lifetime struct {
	mayUse func() bool // whether the line is still ours; nil: it is
	ctx    context.Context
	cancel context.CancelFunc
	closed context.Context // done when the socket is closed
	close  context.CancelFunc

	mu    sync.Mutex
	over  bool // guarded by mu
	works sync.WaitGroup

	opening atomic.Pointer[opening] // the latest

	catchUp  sync.Once
	caughtUp chan struct{} // closed when everything from before the connection was told
}

// newLifetime returns a lifetime that goes on when ctx ends: end must be called. whatsmeow
// gives up a question whose context ends while it is written, and an answer that comes then
// ends the program. So contexts end after the socket was closed.
func newLifetime(ctx context.Context) *lifetime {
	l := &lifetime{caughtUp: make(chan struct{})}
	l.opening.Store(&opening{lost: make(chan struct{}, 1)})
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.closed, l.close = context.WithCancel(context.Background())
	return l
}

// begin reports whether the lifetime has not ended yet. If it returns true, the caller
// must call works.Done at the end of its work.
func (l *lifetime) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.works.Add(1)
	}
	return !l.over
}

// foreign reports whether the line may be another process's: then what this one knows of its
// keys is old, and must not be stored.
func (l *lifetime) foreign() bool { return l.mayUse != nil && !l.mayUse() }

// end ends the lifetime and waits for the work under way. It must be called after the
// socket was closed. WhatsApp delivers again what was not committed.
func (l *lifetime) end() {
	l.close()
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.cancel()
	l.works.Wait()
}

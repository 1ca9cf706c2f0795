package whatsapp

import (
	"context"
	"sync"
	"sync/atomic"
)

// lifetime is that of one client, which has one connection. Work for it is counted,
// so that the next connection begins when all of it has ended: then events are kept
// in their order, and a second copy is not looked at while the first is decrypted.
type lifetime struct {
	ctx    context.Context
	cancel context.CancelFunc
	closed context.Context // done when the socket is closed
	close  context.CancelFunc

	mu    sync.Mutex
	over  bool // guarded by mu
	works sync.WaitGroup

	opening atomic.Pointer[opening] // the last
}

func newLifetime(ctx context.Context) *lifetime {
	l := &lifetime{}
	l.opening.Store(&opening{lost: make(chan struct{}, 1)})
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.closed, l.close = context.WithCancel(context.Background())
	return l
}

// begin reports whether the lifetime has not ended, and counts the caller's work.
func (l *lifetime) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.works.Add(1)
	}
	return !l.over
}

// end waits for the work under way, once the socket is closed. WhatsApp delivers
// again what was not kept.
func (l *lifetime) end() {
	l.close()
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.cancel()
	l.works.Wait()
}

package whatsapp

import (
	"context"
	"sync"
	"sync/atomic"
)

// link is the time of one client: of one connection. Who works for it says so, so
// that the next connection begins when all of it has ended: what came first is
// then kept first, and a copy of it is not judged while it is still being opened.
type link struct {
	ctx    context.Context
	cancel context.CancelFunc
	gone   context.Context // done when the socket is closed
	leave  context.CancelFunc

	mu    sync.Mutex
	over  bool // guarded by mu
	works sync.WaitGroup

	opening atomic.Pointer[opening] // the last
}

func newLink(ctx context.Context) *link {
	l := &link{}
	l.opening.Store(&opening{lost: make(chan struct{}, 1)})
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.gone, l.leave = context.WithCancel(context.Background())
	return l
}

// begin says whether there is still something to work for.
func (l *link) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.works.Add(1)
	}
	return !l.over
}

// end waits for what is under way, once the socket is closed. What was not kept
// comes again.
func (l *link) end() {
	l.leave()
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.cancel()
	l.works.Wait()
}

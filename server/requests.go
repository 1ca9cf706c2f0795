package server

import (
	"context"
	"net/http"
	"sync"
)

// Requests knows the HTTP requests in flight, so that a program that stops can let them
// finish before it closes its sockets. Requests that carry a socket do not count: they
// end with the sockets. Make it with NewRequests.
type Requests struct {
	// static
	stopping context.Context
	stop     context.CancelCauseFunc

	mu sync.Mutex
	// guarded by mu
	began int           // requests in flight that began before Finish was called
	late  bool          // Finish was called; new requests do not count
	idle  chan struct{} // closed when began is 0, after Finish was called
}

// NewRequests returns Requests without any.
func NewRequests() *Requests {
	q := &Requests{idle: make(chan struct{})}
	q.stopping, q.stop = context.WithCancelCause(context.Background())
	return q
}

// requestKey is the key of a request's *inFlight in its context.
type requestKey struct{}

// inFlight is one request. It counts until done is called.
type inFlight struct {
	of   *Requests
	done func()
}

// Count returns a handler that counts the requests of next.
func (q *Requests) Count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one := &inFlight{of: q, done: sync.OnceFunc(q.begin())}
		defer one.done()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, one)))
	})
}

// begin counts a request and returns the function that ends it.
func (q *Requests) begin() (end func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.late {
		return func() {}
	}
	q.began++
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.began--; q.late && q.began == 0 {
			close(q.idle)
		}
	}
}

// Finish ends the requests that only wait (see Wait) with the cause, those that come
// later too, and returns when all requests that began before have ended, or ctx has.
func (q *Requests) Finish(ctx context.Context, cause error) {
	q.stop(cause)
	q.mu.Lock()
	if !q.late && q.began == 0 {
		close(q.idle)
	}
	q.late = true
	q.mu.Unlock()
	select {
	case <-q.idle:
	case <-ctx.Done():
	}
}

// carriesSocket notes that the request with this context carries a socket.
func carriesSocket(ctx context.Context) {
	if one, counted := ctx.Value(requestKey{}).(*inFlight); counted {
		one.done()
	}
}

// Wait returns the context of a request that may wait long for something to happen. It
// ends with the request and, under Requests, with the cause of Finish. The caller calls
// done in the end.
func Wait(request context.Context) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(request)
	one, counted := request.Value(requestKey{}).(*inFlight)
	if !counted {
		return ctx, func() { cancel(nil) }
	}
	stop := context.AfterFunc(one.of.stopping, func() { cancel(context.Cause(one.of.stopping)) })
	return ctx, func() { stop(); cancel(nil) }
}

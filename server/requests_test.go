package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

var errStops = errors.New("the program stops")

// A program that stops waits for the requests in flight, but not for those that come
// later, and ends at once those that only wait.
func TestRequestsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := server.NewRequests()
		release, causes := make(chan struct{}), make(chan error, 2)
		h := q.Count(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/poll" {
				ctx, done := server.Wait(r.Context())
				defer done()
				<-ctx.Done()
				causes <- context.Cause(ctx)
				return
			}
			<-release
		}))
		ask := func(path string) {
			go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		}
		ask("/work")
		ask("/poll")
		synctest.Wait()
		finished := make(chan struct{})
		go func() { q.Finish(t.Context(), errStops); close(finished) }()
		synctest.Wait()
		if err := <-causes; !errors.Is(err, errStops) {
			t.Errorf("a long poll ends with %v", err)
		}
		ask("/poll")
		if err := <-causes; !errors.Is(err, errStops) {
			t.Errorf("a later long poll ends with %v", err)
		}
		select {
		case <-finished:
			t.Fatal("it did not wait for the request in flight")
		default:
		}
		release <- struct{}{}
		ask("/work") // too late to be waited for
		synctest.Wait()
		select {
		case <-finished:
		default:
			t.Fatal("it waits, though the request has ended")
		}
		close(release)
	})
}

// Finish waits no longer than it may, and not at all when there is nothing to wait for.
func TestRequestsFinishInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server.NewRequests().Finish(t.Context(), errStops)
		q, release := server.NewRequests(), make(chan struct{})
		h := q.Count(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		q.Finish(ctx, errStops)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("it waited for %v", took)
		}
		close(release)
	})
}

package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/server"
)

// xCounter is a response that only counts its x characters.
type xCounter struct {
	header  http.Header
	arrived *atomic.Int64
}

func (c *xCounter) Header() http.Header { return c.header }
func (c *xCounter) WriteHeader(int)     {}
func (c *xCounter) Flush()              {}
func (c *xCounter) Write(b []byte) (int, error) {
	c.arrived.Add(int64(bytes.Count(b, []byte("x"))))
	return len(b), nil
}

// BenchmarkXHRDelivery follows a frame to the streaming answers of 100 sessions. When a
// stream ends because of its size, the next follows.
func BenchmarkXHRDelivery(b *testing.B) {
	h := runXHR(b, server.Options{Absence: time.Hour})
	b.Cleanup(h.stop)
	ctx, arrived := b.Context(), new(atomic.Int64)
	var sessions []*server.HTTPSession
	for i := range 100 {
		path := fmt.Sprintf("/%d/xhr_streaming", i)
		go func() {
			for ctx.Err() == nil {
				h.ServeHTTP(&xCounter{http.Header{}, arrived}, httptest.NewRequestWithContext(ctx, http.MethodPost, path, http.NoBody))
			}
		}()
		sessions = append(sessions, <-h.sessions)
	}
	const size = 300
	frame := text(strings.Repeat("x", size))
	b.ReportAllocs()
	for b.Loop() {
		want := arrived.Load() + int64(len(sessions)*size)
		for _, s := range sessions {
			s.Queue(frame)
		}
		for arrived.Load() < want {
			runtime.Gosched()
		}
	}
}

// BenchmarkXHRSend sends a message in a request and polls for its echo.
func BenchmarkXHRSend(b *testing.B) {
	h := runXHR(b, server.Options{Absence: time.Hour})
	b.Cleanup(h.stop)
	arrived := new(atomic.Int64)
	ask := func(path, body string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
		h.ServeHTTP(&xCounter{http.Header{}, arrived}, r)
	}
	ask("/a/xhr", "")
	b.ReportAllocs()
	for b.Loop() {
		ask("/a/xhr_send", `["x\"y\""]`)
		ask("/a/xhr", "")
	}
	if arrived.Load() == 0 {
		b.Fatal("no echo arrived")
	}
}

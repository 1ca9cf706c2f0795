package program_test

import (
	"context"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"chatcast/cmd/chatcast/e2e"
)

// hurried is a response that records the first read deadline of its request.
type hurried struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (h *hurried) SetReadDeadline(at time.Time) error {
	if h.until.IsZero() {
		h.until = at
	}
	return nil
}

// TestEveryRouteBoundsItsBody checks that each route, and a path without one, gives a
// body 30 s to arrive, without a token.
func TestEveryRouteBoundsItsBody(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	router := p.Components().Router
	paths := map[string][]string{"/nowhere": {"POST"}, "/v1/nowhere": {"PUT"}}
	for _, r := range router.Routes() {
		paths[r.Path] = append(paths[r.Path], r.Method)
	}
	if len(paths) < 80 {
		t.Fatalf("only %d routes", len(paths))
	}
	param := regexp.MustCompile(`[:*][A-Za-z]+`)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for path, methods := range paths {
		for _, method := range methods {
			w, began := &hurried{ResponseRecorder: httptest.NewRecorder()}, time.Now()
			req := httptest.NewRequestWithContext(ended, method, param.ReplaceAllString(path, "1"), strings.NewReader("{}"))
			router.ServeHTTP(w, req)
			if limit := w.until.Sub(began); limit < 30*time.Second || limit > 30*time.Second+time.Since(began) {
				t.Errorf("%s %s: a body may take %v", method, path, limit)
			}
		}
	}
}

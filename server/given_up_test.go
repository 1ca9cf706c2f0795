package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
)

// net/http answers 200 for a handler that writes nothing. A request that has ended before it
// was done must not be answered so.
func TestRouterAnswersWhatWasGivenUp(t *testing.T) {
	for what, c := range map[string]struct {
		end    func(cancel context.CancelCauseFunc)
		status int
	}{
		"it goes on":        {func(context.CancelCauseFunc) {}, http.StatusOK},
		"the client left":   {func(cancel context.CancelCauseFunc) { cancel(nil) }, 499},
		"the program stops": {func(cancel context.CancelCauseFunc) { cancel(errors.New("the program stops")) }, http.StatusServiceUnavailable},
	} {
		t.Run(what, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r, _ := newRouter(t, slog.LevelInfo)
			replace := func(c *gin.Context) { // as a limit of time does, which ends with the handler
				limited, over := context.WithCancel(c.Request.Context())
				defer over()
				c.Request = c.Request.WithContext(limited)
				c.Next()
			}
			r.POST("/silent", replace, func(*gin.Context) { c.end(cancel) })
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/silent", nil))
			if w.Code != c.status {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.status)
			}
		})
	}
}

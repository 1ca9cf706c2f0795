package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

// TestRequestsAreMeasuredByRoute sends requests of every kind: what is measured has no
// part of a path, and no method that a client made up.
func TestRequestsAreMeasuredByRoute(t *testing.T) {
	var got []string
	r, err := server.NewRouter(server.RouterOptions{Log: slog.New(slog.DiscardHandler), Observe: func(method, route string, status int, took time.Duration) {
		if took < 0 {
			t.Errorf("%s took %v", route, took)
		}
		got = append(got, fmt.Sprintf("%s %s %d", method, route, status))
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.GET("/chats/:id", func(c *gin.Context) { c.Status(http.StatusTeapot) })
	r.GET("/panic", func(*gin.Context) { panic("a fault") })
	for _, request := range [][2]string{{"GET", "/chats/79990001122"}, {"GET", "/panic"}, {"GET", "/secret"}, {"BREW", "/chats/7"}, {"POST", "/chats/7"}} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(request[0], request[1], http.NoBody))
	}
	want := []string{"GET /chats/:id 418", "GET /panic 500", "GET none 404", "other none 405", "POST none 405"}
	if !slices.Equal(got, want) {
		t.Errorf("measured %q, want %q", got, want)
	}
}

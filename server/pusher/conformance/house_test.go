package conformance_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
	"chatcast/server/pusher/conformance"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// newHouse starts the Pusher side of chatcast on a port of its own, with everything on.
// It pings sockets after activity.
func newHouse(t *testing.T, activity time.Duration) conformance.Target {
	t.Helper()
	main := conformance.App{ID: "1", Key: "main", Secret: "a secret"}
	other := conformance.App{ID: "2", Key: "other", Secret: "another secret"}
	timeout := conformance.App{ID: "6", Key: "timeout", Secret: "a third secret"}
	apps, err := pusher.NewApps([]apps.App{
		{ID: main.ID, Key: main.Key, Secret: main.Secret, Enabled: true, ClientEvents: true, SubscriptionCount: true},
		{ID: other.ID, Key: other.Key, Secret: other.Secret, Enabled: true, ClientEvents: true},
		{ID: "3", Key: "disabled", Secret: "s"},
		{ID: "4", Key: "small", Secret: "s", Enabled: true, Limits: apps.Limits{Sockets: 1}},
		{ID: "5", Key: "quiet", Secret: "s", Enabled: true},
		{ID: timeout.ID, Key: timeout.Key, Secret: timeout.Secret, Enabled: true, UserAuthentication: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	engine := broadcasting.NewEngine(broadcasting.Options{})
	sockets := server.New(server.Options{Log: log, ActivityTimeout: activity, PongTimeout: time.Second})
	front := pusher.New(pusher.Options{
		Apps: apps, Engine: engine, Sockets: sockets, Log: log, ProveWithin: time.Second,
		MessagesPerSecond: 5000, // a case sends 10,000 on one socket
	})
	g, err := server.NewRouter(server.RouterOptions{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	front.Register(g)
	g.NoRoute(func(c *gin.Context) { front.NotFound(c) })
	(&pusher.HTTPAPI{Apps: apps, Engine: engine, Log: log}).Register(g)
	web := httptest.NewServer(apitest.Documented(t, g, nil))

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sockets.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		web.Close()
	})
	return conformance.Target{
		URL: "ws" + strings.TrimPrefix(web.URL, "http"), HTTP: web.URL, App: main, Patience: selfPatience,
		Other: other, DisabledKey: "disabled", SmallKey: "small", QuietKey: "quiet", Timeout: timeout, PingWait: selfPatience,
	}
}

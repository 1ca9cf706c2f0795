package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/api/apitest"
)

const (
	ownerEmail    = "owner@example.com"
	ownerPassword = "a password of the tests"
	whatsApp      = "/v1/licenses/1229/messengers/grWhatsApp"
	telegram      = "/v1/licenses/1229/messengers/telegram"

	// patience is how long a test waits for what must come; it is never waited for
	// when all is well.
	patience = 60 * time.Second
)

func TestMain(m *testing.M) {
	if os.Getenv(dyingHooksURL) != "" {
		dyingHooks() // this process is one that a test starts to kill it
		return
	}
	passwordCost = bcrypt.MinCost
	code := m.Run()
	closeBrowser()
	if err := testdb.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	for _, line := range summary {
		fmt.Println(line)
	}
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		// One that whatsmeow does not always end: see TestMain of crm/whatsapp.
		if err := goleak.Find(goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// testConfig is the defaults with everything in a folder of the test's own.
func testConfig(t testing.TB) Config {
	cfg := Default()
	dir := t.TempDir()
	cfg.Server.Address, cfg.Server.InternalAddress = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Server.DrainTime = 0
	cfg.Database.URL = "sqlite:" + filepath.Join(dir, "chatcast.db")
	cfg.Files.Dir = filepath.Join(dir, "files")
	cfg.Bootstrap.User.Password = ownerPassword
	return cfg
}

// running is a whole program that serves on a free port.
type running struct {
	*Program
	base string // http://127.0.0.1:port
	stop func() // and wait; more than once does nothing
}

// start runs the whole program until the test ends. Every answer that it gives is
// held against openapi.yaml.
func start(t testing.TB, cfg Config) *running {
	t.Helper()
	p, err := New(t.Context(), cfg, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	p.handler = apitest.Documented(t, p.handler, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	r := &running{Program: p, base: strings.TrimSuffix(p.URL(), "/")}
	r.stop = func() {
		cancel()
		if err, ok := <-ended; ok {
			close(ended)
			if err != nil {
				t.Errorf("the program ended with %v", err)
			}
			if err := p.Close(); err != nil {
				t.Errorf("closing the program: %v", err)
			}
		}
	}
	t.Cleanup(func() {
		r.stop()
		validateJournal(t, cfg.Database.URL)
	})
	return r
}

// validateJournal holds every event that a test caused against its schema.
func validateJournal(t testing.TB, url string) {
	store, err := models.Open(context.Background(), url)
	if err != nil {
		t.Error(err)
		return
	}
	crmtest.ValidateJournal(t, store)
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func testLog(t testing.TB) *slog.Logger {
	if testing.Verbose() {
		return newLog(t.Output(), LogConfig{Level: "debug", Format: "text"})
	}
	return newLog(t.Output(), LogConfig{Level: "warn", Format: "text"})
}

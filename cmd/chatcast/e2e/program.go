package e2e

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/server/api/apitest"
)

// Values of the tests' program from its first start.
const (
	OwnerEmail    = "owner@example.com"
	OwnerPassword = "a password of the tests"
	WhatsAppPath  = "/v1/licenses/1229/messengers/grWhatsApp"
	TelegramPath  = "/v1/licenses/1229/messengers/telegram"
	Version       = "0.0.1"
	Commit        = "0123456789ab"
)

// Config returns the defaults, with all files in a folder of the test's own.
func Config(t testing.TB) config.Config {
	cfg := config.Default()
	dir := t.TempDir()
	cfg.Server.Address, cfg.Server.InternalAddress = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Server.DrainTime = 0
	cfg.Database.URL = "sqlite:" + filepath.Join(dir, "chatcast.db")
	cfg.Files.Dir = filepath.Join(dir, "files")
	cfg.Bootstrap.User.Password = OwnerPassword
	return cfg
}

// Running is a whole program that serves on a free port.
type Running struct {
	*app.Program
	Base string // http://127.0.0.1:port
	Stop func() // stops it and waits; later calls do nothing
}

// Start runs the whole program until the test ends. Every answer of it is checked
// against openapi.yaml.
func Start(t testing.TB, cfg config.Config) *Running {
	t.Helper()
	return start(t, cfg, Version, Log(t))
}

// StartAs is Start with another program version.
func StartAs(t testing.TB, cfg config.Config, version string) *Running {
	t.Helper()
	return start(t, cfg, version, Log(t))
}

// StartLogged is Start with another log.
func StartLogged(t testing.TB, cfg config.Config, log *slog.Logger) *Running {
	t.Helper()
	return start(t, cfg, Version, log)
}

func start(t testing.TB, cfg config.Config, version string, log *slog.Logger) *Running {
	t.Helper()
	p, err := app.New(t.Context(), cfg, app.Options{
		Log: log, Version: version, Commit: Commit, PasswordCost: bcrypt.MinCost,
		Wrap: func(h http.Handler) http.Handler { return apitest.Documented(t, h, nil) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	r := &Running{Program: p, Base: strings.TrimSuffix(p.URL(), "/")}
	r.Stop = func() {
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
		r.Stop()
		validateJournal(t, cfg.Database.URL)
	})
	return r
}

// validateJournal checks every event that a test caused against its schema.
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

// Log returns a logger that writes warnings and errors to the test's log.
func Log(t testing.TB) *slog.Logger {
	if os.Getenv("CHATCAST_TEST_LOG") != "" {
		return config.NewLog(t.Output(), config.LogConfig{Level: "debug", Format: "text"})
	}
	return config.NewLog(t.Output(), config.LogConfig{Level: "warn", Format: "text"})
}

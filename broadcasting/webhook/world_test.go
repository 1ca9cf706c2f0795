package webhook_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
	"chatcast/broadcasting/webhook/storetest"
	"chatcast/channels/testwait"
)

func TestMain(m *testing.M) { testwait.Main(m) }

const (
	key    = "278d425bdf160c739803"
	secret = "7ad3773142a6692b25b8"
)

// memory is a storetest.Memory with faults. It records the size of its commits.
type memory struct {
	storetest.Memory

	mu   sync.Mutex
	fail error         // what Commit returns
	hold chan struct{} // Commit waits for it to be closed
	size []int         // of each commit, in deliveries
}

var _ webhook.Store = (*memory)(nil)

func (m *memory) Commit(ctx context.Context, owner string, b *webhook.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if hold := m.hold; hold != nil {
		m.mu.Unlock()
		<-hold
		m.mu.Lock()
	}
	if m.fail != nil {
		return m.fail
	}
	m.size = append(m.size, len(b.New))
	return m.Memory.Commit(ctx, owner, b)
}

func (m *memory) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// app returns the test app with the endpoints.
func app(endpoints ...apps.Webhook) []apps.App {
	return []apps.App{{ID: "1", Key: key, Secret: secret, Webhooks: endpoints}}
}

func to(url string) apps.Webhook { return apps.Webhook{URL: url} }

// running is Hooks that run until the test, or stop, ends them.
type running struct {
	*webhook.Hooks
	log  *journal
	stop func()
}

func start(t *testing.T, o webhook.Options) *running {
	t.Helper()
	log := &journal{more: make(chan struct{}, 1)}
	o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	hooks, err := webhook.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hooks.Run(ctx) }()
	r := &running{Hooks: hooks, log: log}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, errDatabase) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

var errDatabase = errors.New("the database is away")

// journal holds the log, and signals when it grows.
type journal struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
	more chan struct{}   // holds one
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.more <- struct{}{}:
	default:
	}
	return j.text.Write(p)
}

// String returns the log so far.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// says waits until the log contains the text.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	for deadline := time.After(testwait.Long); !strings.Contains(r.log.String(), text); {
		select {
		case <-r.log.more:
		case <-deadline:
			t.Fatalf("the log does not say %s:\n%s", text, r.log)
		}
	}
}

// Events in channels of app 1.
func on(kind broadcasting.Kind, channel string) broadcasting.ChannelEvent {
	return broadcasting.ChannelEvent{Kind: kind, App: "1", Channel: channel}
}

func occupied(channel string) broadcasting.ChannelEvent { return on(broadcasting.Occupied, channel) }
func vacated(channel string) broadcasting.ChannelEvent  { return on(broadcasting.Vacated, channel) }
func missed(channel string) broadcasting.ChannelEvent   { return on(broadcasting.CacheMissed, channel) }

func added(channel, user string) broadcasting.ChannelEvent {
	h := on(broadcasting.MemberAdded, channel)
	h.UserID = user
	return h
}

func removed(channel, user string) broadcasting.ChannelEvent {
	h := on(broadcasting.MemberRemoved, channel)
	h.UserID = user
	return h
}

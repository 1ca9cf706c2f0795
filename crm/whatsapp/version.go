package whatsapp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/store"
)

const (
	versionEvery = 6 * time.Hour
	versionAgain = 10 * time.Minute // when WhatsApp did not tell
	versionSoon  = 2 * time.Second  // a connection waits for it
)

// version guards the version, which is the process's and which whatsmeow reads
// without a lock.
var version sync.Mutex

// payload is what a client says of itself when it connects.
func payload(dev *store.Device) *waWa6.ClientPayload {
	version.Lock()
	defer version.Unlock()
	return proto.CloneOf(dev.GetClientPayload())
}

// versions is when the version was last asked for.
type versions struct {
	mu   sync.Mutex
	next time.Time // guarded by mu: not before
}

// due says whether it is time to ask, to one who then does.
func (v *versions) due() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Now().Before(v.next) {
		return false
	}
	v.next = time.Now().Add(versionAgain)
	return true
}

// freshen keeps the version that we give to WhatsApp fresh: it turns away clients
// that are too old. It is asked before a line connects, now and then, so that a
// program without lines asks nobody. Without an answer the last known one stays; a
// slow one is for the next connection, and this one does not wait for it.
func (s *session) freshen(ctx context.Context) {
	if !s.m.versions.due() {
		return
	}
	done := make(chan struct{})
	s.helpers.Go(func() {
		defer close(done)
		s.m.askVersion(ctx)
	})
	soon := time.NewTimer(versionSoon)
	defer soon.Stop()
	select {
	case <-done:
	case <-soon.C:
	case <-ctx.Done():
	}
}

// askVersion asks WhatsApp's page.
func (m *Messenger) askVersion(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, m.times.version)
	defer cancel()
	transport := dialer{m.Endpoint}.transport()
	defer transport.CloseIdleConnections()
	latest, err := whatsmeow.GetLatestVersion(ctx, &http.Client{Transport: bounded{transport}})
	version.Lock()
	defer version.Unlock()
	known := store.GetWAVersion()
	if err != nil {
		m.Log.Info("WhatsApp's current version is not known, the last known one is used", "version", known.String(), "error", err)
		return
	}
	m.versions.mu.Lock()
	m.versions.next = time.Now().Add(versionEvery)
	m.versions.mu.Unlock()
	if known.LessThan(*latest) {
		store.SetWAVersion(*latest)
		m.Log.Info("WhatsApp has a new version", "version", latest.String())
	}
}

// tooOld has the version asked for at the next connection.
func (m *Messenger) tooOld() {
	m.versions.mu.Lock()
	defer m.versions.mu.Unlock()
	m.versions.next = time.Time{}
}

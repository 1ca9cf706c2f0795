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
	versionEvery   = 6 * time.Hour
	versionAgain   = 10 * time.Minute // when WhatsApp did not tell
	versionTimeout = 10 * time.Second
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

// freshen keeps the version that we give to WhatsApp fresh: it turns away clients
// that are too old. It is asked before a line connects, now and then, so that a
// program without lines asks nobody. Without an answer the last known one stays.
func (m *Messenger) freshen(ctx context.Context) {
	m.versions.mu.Lock()
	defer m.versions.mu.Unlock()
	if time.Now().Before(m.versions.next) {
		return
	}
	m.versions.next = time.Now().Add(versionAgain)
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	transport := dialer{m.Endpoint}.transport()
	defer transport.CloseIdleConnections()
	latest, err := whatsmeow.GetLatestVersion(ctx, &http.Client{Transport: bounded{transport}})
	version.Lock()
	defer version.Unlock()
	known := store.GetWAVersion()
	if err != nil {
		m.Log.Info("WhatsApp's current version is not known, the last known one is used", "version", known.String(), "err", err)
		return
	}
	m.versions.next = time.Now().Add(versionEvery)
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

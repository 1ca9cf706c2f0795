package whatsapp

import (
	"context"
	"net/http"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
)

const (
	versionEvery   = 6 * time.Hour
	versionTimeout = 10 * time.Second
)

// keepVersion keeps the version that we give to WhatsApp fresh: it turns away
// clients that are too old. Without an answer the last known one stays. It is the
// process's, as whatsmeow has it.
func (m *Messenger) keepVersion(ctx context.Context) {
	for {
		m.refreshVersion(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(versionEvery):
		case <-m.outdated:
		}
	}
}

func (m *Messenger) refreshVersion(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	transport := dialer{m.Endpoint}.transport()
	defer transport.CloseIdleConnections()
	latest, err := whatsmeow.GetLatestVersion(ctx, &http.Client{Transport: bounded{transport}})
	if err != nil {
		m.Log.Info("WhatsApp's current version is not known, the last known one is used",
			"version", store.GetWAVersion().String(), "err", err)
		return
	}
	if latest.LessThan(store.GetWAVersion()) || *latest == store.GetWAVersion() {
		return
	}
	store.SetWAVersion(*latest)
	m.Log.Info("WhatsApp has a new version", "version", latest.String())
}

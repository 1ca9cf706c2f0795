package whatsapp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/store"
)

const (
	versionEvery = 6 * time.Hour
	versionAgain = 10 * time.Minute // after a try without an answer
	versionSoon  = 2 * time.Second  // how long a connection waits for the answer
)

// version guards whatsmeow's version of WhatsApp, which is global to the process and
// which whatsmeow reads without a lock.
var version sync.Mutex

// payload returns the description of the client that it sends when it connects.
func payload(dev *store.Device, fullHistory bool) *waWa6.ClientPayload {
	version.Lock()
	p := proto.CloneOf(dev.GetClientPayload())
	version.Unlock()
	if fullHistory {
		askForHistory(p.GetDevicePairingData())
	}
	return p
}

// How far back the history goes that a device may ask for.
const (
	historyDays = 10 * 365
	historyMB   = 100 << 10
)

// askForHistory makes a device that is going to be paired ask for all of the phone's history. A
// device that is paired already has no such data.
func askForHistory(data *waWa6.ClientPayload_DevicePairingRegistrationData) {
	if data == nil {
		return
	}
	props := &waCompanionReg.DeviceProps{}
	if proto.Unmarshal(data.GetDeviceProps(), props) != nil {
		return // whatsmeow has written it
	}
	if props.HistorySyncConfig == nil {
		props.HistorySyncConfig = &waCompanionReg.DeviceProps_HistorySyncConfig{}
	}
	props.RequireFullSync = proto.Bool(true)
	props.HistorySyncConfig.FullSyncDaysLimit, props.HistorySyncConfig.FullSyncSizeMbLimit = proto.Uint32(historyDays), proto.Uint32(historyMB)
	props.HistorySyncConfig.StorageQuotaMb = proto.Uint32(historyMB)
	if written, err := proto.Marshal(props); err == nil {
		data.DeviceProps = written
	}
}

// versions holds when to ask for the version again.
type versions struct {
	mu    sync.Mutex
	next  time.Time // guarded by mu: the version is not asked for before
	known time.Time // guarded by mu: when WhatsApp last told its version; zero: not yet
}

// knownAt returns when WhatsApp last told its version to this process, or the zero time.
func (v *versions) knownAt() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.known
}

// due reports whether it is time to ask for the version. A caller that gets true must
// ask.
func (v *versions) due() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Now().Before(v.next) {
		return false
	}
	v.next = time.Now().Add(versionAgain)
	return true
}

// freshen keeps the version that we send to WhatsApp current, because WhatsApp rejects
// clients that are too old. It asks from time to time, before a line connects and in the
// way in which it connects, so that a program without lines does not ask. Without an answer
// the last known version stays. A slow answer is used for the next connection; this one
// does not wait for it.
func (s *session) freshen(ctx context.Context) {
	if !s.m.versions.due() {
		return
	}
	dial := s.dialer()
	done := make(chan struct{})
	s.helpers.Go(func() {
		defer close(done)
		s.m.askVersion(ctx, dial)
	})
	soon := time.NewTimer(versionSoon)
	defer soon.Stop()
	select {
	case <-done:
	case <-soon.C:
	case <-ctx.Done():
	}
}

// askVersion fetches the current version from WhatsApp's page.
func (m *Messenger) askVersion(ctx context.Context, dial dialer) {
	ctx, cancel := context.WithTimeout(ctx, m.times.version)
	defer cancel()
	transport := dial.transport()
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
	m.versions.known = time.Now()
	m.versions.next = m.versions.known.Add(versionEvery)
	m.versions.mu.Unlock()
	if known.LessThan(*latest) {
		store.SetWAVersion(*latest)
		m.Log.Info("WhatsApp has a new version", "version", latest.String())
	}
}

// tooOld makes the next connection ask for the version.
func (m *Messenger) tooOld() {
	m.versions.mu.Lock()
	defer m.versions.mu.Unlock()
	m.versions.next = time.Time{}
}

package whatsapp

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/store"

	"chatcast/crm"
	"chatcast/models/seal"
)

// Options configures a Messenger.
type Options struct {
	DB       *sql.DB    // a pool of its own on our database; the caller closes it
	Dialect  string     // "sqlite" or "postgres"
	Keys     *seal.Keys // encrypt the secrets of devices in DB; nil: they are not encrypted
	Log      *slog.Logger
	Endpoint string // host:port that every dial goes to; empty: WhatsApp
	RootKey  string // hex: the Noise root to trust with Endpoint
	// Unpaired serves the lines that are not paired.
	Unpaired crm.Messenger
	// Alone means that no other process serves the database. Leases of other owners are
	// then those of dead processes, and are ended at once.
	Alone bool
	// Archives means that a chat is closed when it is moved to WhatsApp's archive, and
	// opened when it is moved back.
	Archives bool
	// PrivateLinks allows files that operators name by address to be fetched from
	// outside the public internet.
	PrivateLinks bool
	// PrivateProxies allows proxies of lines outside the public internet.
	PrivateProxies bool
	// SendDelay is the least time between two messages of a line; up to half of it is
	// added. 0: none.
	SendDelay time.Duration
	// Guard means that first messages wait while their line is rated stop, and are sent
	// slowly while it is rated careful.
	Guard bool
	// TypeFor is for how long we are shown as typing before a text is sent, at most; the
	// text's length decides. 0: not at all.
	TypeFor time.Duration

	times   times // zero: usual; tests set shorter times
	history int64 // bytes of a part of the history; 0: historyLimit
}

// times holds timeouts and durations.
type times struct {
	lease    time.Duration // after which others take the lines of a process that does not beat
	firstQR  time.Duration // of the first QR code, as in WhatsApp Web
	laterQR  time.Duration // of each later QR code
	answer   time.Duration // of WhatsApp, to a message
	ask      time.Duration // of WhatsApp, to what must be known before something is sent
	privacy  time.Duration // after which the account's privacy settings are asked for again that WhatsApp did not tell
	eager    time.Duration // to fetch a file before its message is ingested
	patience time.Duration // with our database, before the connection is closed
	phone    time.Duration // for the phone to upload a file again
	online   time.Duration // for which the account is shown as online after it wrote
	code     time.Duration // to wait for WhatsApp's code for a pairing
	token    time.Duration // to wait for a person's token
	version  time.Duration // to fetch the page with WhatsApp's version
	past     time.Duration // to wait for a message that the history may bring
	unlink   time.Duration // to wait for the connection over which WhatsApp is told of a logout
	repair   time.Duration // to wait for a key or a copy of the phone
	picture  time.Duration // between two questions for pictures
	passkey  time.Duration // for which a pairing waits for a passkey: as long as whatsmeow proves that it showed the code
}

// aloneLease is the lease of the only process: nobody waits for its end, and the lines may stay
// connected while the database stalls.
const aloneLease = 30 * time.Second

var usual = times{
	lease: 10 * time.Second, firstQR: 60 * time.Second, laterQR: 20 * time.Second, answer: 40 * time.Second,
	ask: 5 * time.Second, privacy: time.Minute, eager: 4 * time.Second, patience: 20 * time.Second, phone: 10 * time.Minute, online: 2 * time.Minute,
	code: 30 * time.Second, token: 5 * time.Second, version: 10 * time.Second, passkey: 5 * time.Minute,
	picture: 15 * time.Second, repair: 2 * time.Minute, past: 10 * time.Second, unlink: 10 * time.Second,
}

// Messenger serves lines of type grWhatsApp while Run runs. It is safe for concurrent
// use.
type Messenger struct {
	Options
	rules Rules // see Serve

	owner     string // names this process in leases
	container *container
	versions  versions
	links     *http.Client // fetches the files that operators name by address

	mu        sync.Mutex
	ctx       context.Context       // of Run; guarded by mu; nil: not running
	sessions  map[crm.Line]*session // guarded by mu: the lines that this process serves
	running   sync.WaitGroup        // counts the sessions
	heldUntil time.Time             // guarded by mu: until when the leased lines are ours; zero: there was no beat yet
	watchdog  *time.Timer           // calls lapse then
	notify    chan struct{}         // wakes Run to tend the lines now
	freed     chan struct{}         // wakes Run to look for lines that were freed
	asked     chan struct{}         // wakes serveCalls
	dead      chan []crm.LineNode   // whose lines freeDead has to free
	answers   answers
	nodes     nodes
	wanted    wantedPictures
	pairs     lineLocks // one pairing or logout of a line begins at a time

	passkeyEnds passkeyEnds
	repairs     repairs
}

var _ crm.Queued = (*Messenger)(nil)

// deviceName is the name that people see in WhatsApp under Linked devices.
const deviceName = "chatcast"

// New returns a Messenger. It creates or upgrades the tables of keys, and dials nothing.
func New(ctx context.Context, o Options) (*Messenger, error) {
	if o.RootKey != "" {
		if err := trustRoot(o.RootKey); err != nil {
			return nil, err
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.times == (times{}) {
		o.times = usual
		if o.Alone {
			o.times.lease = aloneLease
		}
	}
	o.history = cmp.Or(o.history, historyLimit)
	nameDevice.Do(func() {
		store.DeviceProps.Os = proto.String(deviceName)
		store.DeviceProps.PlatformType = waCompanionReg.DeviceProps_DESKTOP.Enum()
	})
	m := &Messenger{
		Options: o, owner: rand.Text(), links: newLinkClient(o.PrivateLinks, nil), notify: make(chan struct{}, 1),
		freed: make(chan struct{}, 1), asked: make(chan struct{}, 1), dead: make(chan []crm.LineNode, 1), wanted: newWantedPictures(),
		sessions: map[crm.Line]*session{},
	}
	var err error
	if m.container, err = newContainer(o.DB, o.Dialect, o.Keys, o.Log); err != nil {
		return nil, err
	}
	if err := m.container.upgrade(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// Serve sets the rules. It is separate from New because the rules need the messenger in
// turn. It must be called once, before Run and before any other method.
func (m *Messenger) Serve(r Rules) { m.rules = r }

// nameDevice sets the device name once, because it is global to the process.
var nameDevice sync.Once

// settingsCheck is how often the settings of the lines are read without a notification.
const settingsCheck = 10 * time.Second

// Run serves the paired lines until ctx ends. It closes their sockets before it returns.
func (m *Messenger) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	beating, stopBeating := context.WithCancel(context.WithoutCancel(ctx)) // lines hold their leases until they have ended
	var helpers, pulse sync.WaitGroup
	m.nodes.unit = m.times.lease / looks
	m.watchdog = time.AfterFunc(m.times.heldFor(), m.lapse)
	m.mu.Lock()
	m.ctx = ctx
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.ctx = nil
		m.mu.Unlock()
		pulse.Go(func() { m.beatOnce(beating) }) // says that this process leaves
		cancel()
		m.running.Wait()
		stopBeating()
		pulse.Wait()
		m.watchdog.Stop()
		helpers.Wait()
		m.left(ctx)
	}()
	m.beatOnce(ctx)
	pulse.Go(func() { m.beat(beating) })
	pulse.Go(func() { m.freeDead(beating) })
	helpers.Go(func() { m.expire(ctx) })
	if m.Alone {
		m.endStaleLeases(ctx)
	} else {
		pulse.Go(func() { m.serveCalls(beating) })
		pulse.Go(func() { m.listen(beating) })
		helpers.Go(func() { m.handOnPictures(ctx) })
	}
	look := time.NewTicker(m.times.lease / looks)
	defer look.Stop()
	var read time.Time // when the settings were last read
	for notified := true; ; {
		settings := notified || time.Since(read) >= settingsCheck
		if settings {
			read = time.Now()
		}
		m.tend(ctx, settings)
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			notified = false
		case <-m.freed:
			notified = false
			m.lookAround(ctx)
		case <-m.notify:
			notified = true
		}
	}
}

// Status implements crm.Messenger.
func (m *Messenger) Status(ctx context.Context, l crm.Line) (crm.LineStatus, error) {
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil {
		return crm.LineStatus{}, err
	}
	return m.StatusOf(ctx, l, row)
}

// StatusOf implements crm.OfSession.
func (m *Messenger) StatusOf(ctx context.Context, l crm.Line, row *crm.LineSession) (crm.LineStatus, error) {
	if row == nil || !row.Paired && row.Device == "" && !beingPaired(row) {
		return m.Unpaired.Status(ctx, l)
	}
	return row.Status("whatsapp"), nil
}

func beingPaired(row *crm.LineSession) bool {
	return row.State == crm.StatePairing || row.State == crm.StatePasskey
}

// MessageID implements crm.Messenger. The ids have the form of WhatsApp's own clients.
func (m *Messenger) MessageID(l crm.Line) string { return m.Unpaired.MessageID(l) }

// online returns the session and the client of a connected line. It returns nil without
// an error for a line that is not paired.
func (m *Messenger) online(ctx context.Context, l crm.Line) (*session, *whatsmeow.Client, error) {
	if s := m.serving(l); s != nil && s.mayUse() {
		if cli := s.client(); cli != nil && cli.IsLoggedIn() {
			return s, cli, nil
		}
	}
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case row == nil || !row.Paired:
		return nil, nil, nil
	case row.State == crm.StateConnected: // its process has just ended, or is stopping it here
		return nil, nil, errReconnecting
	}
	return nil, nil, crm.Unavailable("the messenger is not connected: " + strings.ToLower(row.State))
}

// Queue implements crm.Queued.
func (m *Messenger) Queue(l crm.Line) {
	if s := m.serving(l); s != nil {
		notify(s.outbox)
	}
}

// notify wakes the receiver of ch. Calls before the receiver wakes count as one.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

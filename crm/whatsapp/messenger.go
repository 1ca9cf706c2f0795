package whatsapp

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"

	"chatcast/crm"
)

// Options are what a Messenger is made of.
type Options struct {
	DB       *sql.DB // a pool of its own on our database; the caller closes it
	Dialect  string  // "sqlite" or "postgres"
	Log      *slog.Logger
	Endpoint string // host:port that every dial goes to; empty: WhatsApp
	RootKey  string // hex: the Noise root to trust with Endpoint
	// Unpaired serves the lines that nobody has paired yet.
	Unpaired crm.Messenger
	// Alone says that no other process serves the database: leases of others are
	// then of the dead, and not waited for.
	Alone bool
	// Archives says that a chat closes when it is put into WhatsApp's archive, and
	// opens when it is taken out.
	Archives bool
	// PrivateLinks says that files may be fetched from addresses that are not of the
	// public internet, when an operator names them.
	PrivateLinks bool
	// SendDelay is the least time between two messages of a line; 0: none.
	SendDelay time.Duration

	times times // as WhatsApp is; tests have no time
}

// times are how long things may take.
type times struct {
	lease    time.Duration // a line is ours without a sign of life
	firstQR  time.Duration // as WhatsApp Web shows it
	laterQR  time.Duration
	answer   time.Duration // WhatsApp's, to a message
	eager    time.Duration // a file is fetched before its message is told of
	patience time.Duration // with our database, before the connection is given up
	phone    time.Duration // for the phone to upload a file again
	online   time.Duration // the account is shown so, after somebody wrote
	code     time.Duration // until WhatsApp gives something to show for a pairing
	version  time.Duration // the page that tells WhatsApp's version
}

var usual = times{
	lease: 30 * time.Second, firstQR: 60 * time.Second, laterQR: 20 * time.Second, answer: 40 * time.Second,
	eager: 4 * time.Second, patience: 20 * time.Second, phone: 10 * time.Minute, online: 2 * time.Minute,
	code: 30 * time.Second, version: 10 * time.Second,
}

// Messenger serves lines of type grWhatsApp. Safe for concurrent use; it serves
// while Run runs.
type Messenger struct {
	Options
	rules Rules // see Serve

	owner     string // this process, in leases
	container *sqlstore.Container
	versions  versions
	links     *http.Client // fetches what operators name by its address

	mu       sync.Mutex
	ctx      context.Context        // of Run; guarded by mu; nil: not running
	sessions map[crm.Line]*session  // guarded by mu: what this process serves
	running  sync.WaitGroup         // the sessions
	tended   map[crm.Line]time.Time // guarded by mu: when the lease was last ours
	notify   chan struct{}          // tend the lines now
	pairs    lineLocks              // one pairing or logout of a line begins at a time
}

var _ crm.Queued = (*Messenger)(nil)

// deviceName is what people read in WhatsApp under Linked devices.
const deviceName = "chatcast"

// New prepares the store of keys. Nothing is dialled yet.
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
	}
	nameDevice.Do(func() {
		store.DeviceProps.Os = proto.String(deviceName)
		store.DeviceProps.PlatformType = waCompanionReg.DeviceProps_DESKTOP.Enum()
	})
	m := &Messenger{
		Options: o, owner: rand.Text(), links: newLinkClient(o.PrivateLinks), notify: make(chan struct{}, 1),
		sessions: map[crm.Line]*session{}, tended: map[crm.Line]time.Time{},
		container: sqlstore.NewWithDB(o.DB, o.Dialect, library{log: o.Log}),
	}
	if err := m.container.Upgrade(ctx); err != nil {
		return nil, fmt.Errorf("whatsapp: tables of keys: %w", err)
	}
	return m, nil
}

// Serve sets the rules that the messenger serves, which know the messenger in turn. It
// must be called once, before Run and before any other method.
func (m *Messenger) Serve(r Rules) { m.rules = r }

// nameDevice: the name is the process's.
var nameDevice sync.Once

// Run serves the paired lines until ctx ends; their sockets are closed then.
func (m *Messenger) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	helpers.Go(func() { m.expire(ctx) })
	m.mu.Lock()
	m.ctx = ctx
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.ctx = nil
		m.mu.Unlock()
		cancel()
		m.running.Wait()
		helpers.Wait()
	}()
	if m.Alone {
		m.endStaleLeases(ctx)
	}
	beat := time.NewTicker(m.times.lease / 3)
	defer beat.Stop()
	for {
		m.tend(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		case <-m.notify:
		}
	}
}

// Status implements crm.Messenger.
func (m *Messenger) Status(ctx context.Context, l crm.Line) (crm.LineStatus, error) {
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil {
		return crm.LineStatus{}, err
	}
	if row == nil || !row.Paired && row.Device == "" && row.State != crm.StatePairing {
		return m.Unpaired.Status(ctx, l)
	}
	return row.Status("whatsapp"), nil
}

// MessageID implements crm.Messenger: WhatsApp's own clients make ids of this form.
func (m *Messenger) MessageID(l crm.Line) string { return m.Unpaired.MessageID(l) }

// online is a connected line and its client; nil without an error for a line that
// nobody has paired.
func (m *Messenger) online(ctx context.Context, l crm.Line) (*session, *whatsmeow.Client, error) {
	if s := m.serving(l); s != nil {
		if cli := s.client(); cli != nil && cli.IsLoggedIn() {
			return s, cli, nil
		}
	}
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	if row == nil || !row.Paired {
		return nil, nil, nil
	}
	return nil, nil, crm.Unavailable("the messenger is not connected: " + strings.ToLower(row.State))
}

// Queue implements crm.Queued.
func (m *Messenger) Queue(l crm.Line) {
	if s := m.serving(l); s != nil {
		notify(s.outbox)
	}
}

// notify wakes who listens, once for any number of times.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

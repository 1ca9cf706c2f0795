package whatsapp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

var errNoDevice = errors.New("whatsapp: the device is not in the store of keys")

// session serves one line, through all connections of its device.
type session struct {
	// static
	m       *Messenger
	on      crm.Line
	log     *slog.Logger
	stop    context.CancelFunc
	stopped <-chan struct{} // closed when stop was called
	done    chan struct{}   // closed at the end, after the lease is released
	ends    chan ending     // reasons why the connection ended
	outbox  chan struct{}   // there is something to send
	fetch   chan struct{}   // there is a file to fetch
	online  chan struct{}   // connected
	tokens  chan struct{}   // a person's token was stored
	labels  chan struct{}   // the phone has to be told of labels
	losses  chan struct{}   // a state without a connection was stored
	leaving leaving

	broken     atomic.Bool  // no more events are accepted from this connection
	loggingOut atomic.Bool  // a logout is running, and it sets the state
	given      atomic.Bool  // another process shall have the line
	over       atomic.Bool  // the session is ending by itself and will soon be done
	loggedIn   atomic.Bool  // WhatsApp accepted the login of this connection
	soughtSalt atomic.Bool  // findSalt was called
	looksRead  atomic.Int64 // when the account's looks were last read, unix seconds; 0: not yet
	phoneSeen  atomic.Int64 // when the account's phone was last seen, unix seconds; 0: not yet
	slowMedia  atomic.Int64 // until when files are not fetched at once, unix seconds
	failures   failureCount
	inFlight   inFlight
	uploads    uploads
	rotten     sync.Map // people's tokens that WhatsApp did not take
	attention  attention
	account    atomic.Pointer[crm.AccountSettings] // as they were last read; nil: not yet
	groupNews  groupNews
	ownLabels  ownLabels
	timer      accountTimer
	surveys    surveyTimes
	privacy    privacyQuestion
	readNow    readNow
	pictures   *pictures
	channels   channels
	states     *appStates
	past       *past

	helpers      handlerGoroutines
	blocklist    turn // held while it is read or changed
	reporting    sync.Mutex
	reported     crm.LineSeen // guarded by reporting
	everReported bool         // guarded by reporting

	saving turn // one save at a time, so that states do not overtake each other

	mu      sync.Mutex
	cli     *whatsmeow.Client        // guarded by mu
	files   *http.Client             // guarded by mu: for files of this client
	idle    func()                   // guarded by mu: closes the client's idle connections
	life    *lifetime                // guarded by mu: of the client
	device  string                   // guarded by mu: the paired device; empty: none
	fresh   bool                     // guarded by mu: the device's keys may not be stored yet
	told    chan struct{}            // guarded by mu: closed when whatsmeow tells what became of a pairing; nil: no phone has accepted
	name    string                   // guarded by mu: the account's own name
	proxy   string                   // guarded by mu: of the client, with its password; empty: none
	dial    dialer                   // guarded by mu: of the client
	pace    pace                     // guarded by mu
	state   crm.LineState            // guarded by mu
	unsaved bool                     // guarded by mu: state is not saved yet
	pairing *pairing                 // guarded by mu; nil: none is under way
	groups  map[types.JID]knownGroup // guarded by mu: the groups that were looked up
}

func newSession(m *Messenger, on crm.Line, p *pairing) *session {
	log := m.Log.With("license", on.LicenseID, "messenger", on.Messenger)
	return &session{
		m: m, on: on, pairing: p, log: log, helpers: handlerGoroutines{log: log},
		done: make(chan struct{}), ends: make(chan ending, 16), outbox: make(chan struct{}, 1), fetch: make(chan struct{}, 1),
		online: make(chan struct{}, 1), tokens: make(chan struct{}, 1), labels: make(chan struct{}, 1), losses: make(chan struct{}, 1), leaving: newLeaving(), groups: map[types.JID]knownGroup{}, groupNews: groupNews{count: map[types.JID]int{}}, stop: func() {},
		pictures: newPictures(), states: newAppStates(), past: newPast(), blocklist: newTurn(), saving: newTurn(),
	}
}

// dialer returns the way in which the line connects. Nothing may be reached for the line in
// another way: its proxy hides where it is.
func (s *session) dialer() dialer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dial
}

func (s *session) client() *whatsmeow.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cli
}

// run keeps the line connected until the session ends for good or ctx ends.
func (s *session) run(ctx context.Context) {
	if s.currentPairing() != nil { // before anything can end it: its end must be the last word
		s.set(ctx, crm.LineState{State: crm.StatePairing, Detail: detailPairing})
	}
	var workers sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		s.over.Store(true)
		cancel()
		s.dropClient()
		workers.Wait()
		s.helpers.end()
		s.endPairing(errPairingOver)
	}()
	for doing, work := range map[string]func(context.Context){
		"sending": s.send, "telling the phone of labels": s.sendLabels, "fetching files": s.fetchFiles,
		"watching the line": s.watch, "telling losses": s.tellLosses, "fetching pictures": s.fetchPictures, "importing history": s.importHistory,
	} {
		workers.Go(func() { keepDoing(ctx, s.log, doing, work) })
	}
	for tries := 0; ; tries++ {
		if tries > 0 && s.pause(ctx, tries-1) != nil {
			return
		}
		if err := s.prepare(ctx); err != nil {
			s.log.Warn("the session's keys could not be read", "error", err)
			if errors.Is(err, errNoDevice) {
				if s.neverStored() {
					s.unpaired(ctx, detailNotStored)
				} else {
					s.loggedOut(ctx, detailNoDevice)
				}
				return
			}
			if s.paired() && !s.accepting() { // the process before may have left the line as connected
				s.set(ctx, crm.LineState{State: crm.StateDisconnected, Detail: detailKeys})
			}
			continue
		}
		s.freshen(ctx)
		s.loggedIn.Store(false)
		end := s.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case end.kind == endRelogin:
			tries = -1
		case s.loggedIn.Load(): // WhatsApp is reachable: a dropped connection may come back soon
			tries = min(tries, 1)
		}
		if !s.follow(ctx, end) {
			return
		}
	}
}

// prepare makes the client of the next connection. Each connection has its own: when a
// connection ends, whatsmeow leaves the node that it is handling in the background, where
// it would run beside the nodes of the next connection.
func (s *session) prepare(ctx context.Context) error {
	s.mu.Lock()
	cli, l := s.cli, s.life
	s.mu.Unlock()
	if cli != nil {
		shield(cli.Store, s, l) // a kept client: its device has stores if it was paired meanwhile
		return nil
	}
	s.mu.Lock()
	device := s.device
	s.mu.Unlock()
	var dev *store.Device
	if device == "" {
		dev = s.m.container.newDevice()
	} else {
		j, err := types.ParseJID(device)
		if err != nil {
			return err
		}
		if dev, err = s.m.container.device(ctx, j); err != nil {
			return err
		}
		if dev == nil {
			return errNoDevice
		}
	}
	settings, err := s.m.rules.AccountSettings(ctx, s.on)
	if err != nil {
		return err
	}
	s.account.Store(&settings)
	dial := dialer{endpoint: s.m.Endpoint}
	if settings.Proxy != "" {
		if dial.through, err = throughProxy(settings.Proxy, s.m.PrivateProxies); err != nil {
			return err
		}
	}
	life := newLifetime(ctx)
	life.mayUse = s.mayUse
	ctx = life.ctx
	shield(dev, s, life)
	cli = whatsmeow.NewClient(dev, library{log: s.log, held: newBacklog(ctx, s.end)})
	cli.SynchronousAck = true
	cli.EnableDecryptedEventBuffer = true
	cli.AutomaticMessageRerequestFromPhone = true
	cli.EmitAppStateEventsOnFullSync = true
	cli.ManualHistorySyncDownload = true       // so that nothing waits for an import,
	cli.DisableManualHistorySyncReceipt = true // and the phone hears of it then: importPart
	cli.EnableAutoReconnect = false            // run reconnects
	cli.DisableLoginAutoReconnect = true
	cli.BackgroundEventCtx = ctx
	cli.PrePairCallback = func(id types.JID, _, _ string) bool { return s.accepted(life, id) }
	cli.GetClientPayload = func() *waWa6.ClientPayload { return payload(dev, settings.SyncFullHistory) }
	cli.GetMessageForRetry = func(_, to types.JID, id types.MessageID) *waE2E.Message { return s.forRetry(ctx, to, id) }
	cli.AddEventHandlerWithSuccessStatus(func(evt any) bool {
		if !life.begin() {
			return false // the client was given up
		}
		defer life.works.Done()
		return s.handle(ctx, cli, evt)
	})
	files, idle := dial.configure(cli, life.dialled)
	s.mu.Lock()
	s.cli, s.files, s.idle, s.life, s.name, s.proxy, s.dial = cli, files, idle, life, dev.PushName, settings.Proxy, dial
	s.pace = s.m.paceOf(settings)
	s.mu.Unlock()
	s.broken.Store(false)
	return nil
}

// connection opens one connection and returns when it has ended.
func (s *session) connection(ctx context.Context) ending {
	s.mu.Lock()
	cli, life := s.cli, s.life
	s.mu.Unlock()
	for len(s.ends) > 0 { // left from the previous connection
		<-s.ends
	}
	if device, phone := s.deviceAndPhone(); device != "" { // set again: the state that first set them may not have been saved
		s.set(ctx, crm.LineState{State: crm.StateConnecting, Device: &device, Phone: &phone, Detail: detailConnecting})
	}
	if !s.mayUse() { // another process may have the line: WhatsApp would end its connection
		return ending{kind: endLost}
	}
	if err := connect(ctx, cli, life); err != nil {
		s.log.Info("WhatsApp was not reached", "error", err)
		return ending{kind: endLost, detail: notReached(err)}
	}
	var end ending
	select {
	case end = <-s.ends:
		if end == (ending{kind: endLost}) {
			end = s.reason(ctx)
		}
	case <-ctx.Done():
	}
	cli.Disconnect()
	return end
}

// dropClient closes the connection and waits for all work of its client.
func (s *session) dropClient() {
	s.mu.Lock()
	cli, idle, life := s.cli, s.idle, s.life
	s.cli, s.files, s.idle, s.life = nil, nil, nil, nil
	s.mu.Unlock()
	if cli != nil {
		if !life.opening.Load().is(left) {
			cli.Disconnect()
		}
		life.end()
		idle()
	}
}

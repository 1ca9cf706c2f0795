package whatsapp

import (
	"context"
	"errors"
	"log/slog"
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

// session serves one line: it lives through the connections of its device.
type session struct {
	// static
	m      *Messenger
	on     crm.Line
	log    *slog.Logger
	stop   context.CancelFunc
	done   chan struct{} // closed at the end, when the lease is given back
	ends   chan ending   // what ended the connection
	outbox chan struct{} // there is something to send
	fetch  chan struct{} // there is a file to fetch
	online chan struct{} // connected

	broken     atomic.Bool  // nothing more is taken over this connection
	loggingOut atomic.Bool  // somebody logs out: the state is theirs to say
	over       atomic.Bool  // it ends by itself, and will soon be done
	loggedIn   atomic.Bool  // WhatsApp let this connection in
	slowMedia  atomic.Int64 // until when files are not fetched at once, unix seconds
	failures   failureCount
	inFlight   inFlight
	uploads    uploads
	attention  attention

	helpers handlerGoroutines
	saving  sync.Mutex // one save at a time, so that states do not overtake each other

	mu      sync.Mutex
	cli     *whatsmeow.Client    // guarded by mu
	idle    func()               // guarded by mu: closes the client's idle connections
	life    *lifetime            // guarded by mu: of the client
	device  string               // guarded by mu: the paired device; empty: none
	fresh   bool                 // guarded by mu: its keys may not be stored yet
	name    string               // guarded by mu: the account's own name
	state   crm.LineState        // guarded by mu
	unsaved bool                 // guarded by mu: the database has not taken state
	pairing *pairing             // guarded by mu; nil: none is under way
	groups  map[types.JID]string // guarded by mu: names of those that were asked for
}

func newSession(m *Messenger, on crm.Line, device string, p *pairing) *session {
	return &session{
		m: m, on: on, device: device, pairing: p, log: m.Log.With("license", on.LicenseID, "messenger", on.Messenger),
		done: make(chan struct{}), ends: make(chan ending, 16), outbox: make(chan struct{}, 1), fetch: make(chan struct{}, 1),
		online: make(chan struct{}, 1), groups: map[types.JID]string{}, stop: func() {},
	}
}

func (s *session) client() *whatsmeow.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cli
}

// run keeps the line connected until there is no reason to.
func (s *session) run(ctx context.Context) {
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
	workers.Go(func() { s.send(ctx) })
	workers.Go(func() { s.fetchFiles(ctx) })
	for tries := 0; ; tries++ {
		if tries > 0 && wait(ctx, backoff(tries-1)) != nil {
			return
		}
		if err := s.prepare(ctx); err != nil {
			s.log.Warn("the session's keys could not be read", "error", err)
			if errors.Is(err, errNoDevice) {
				if s.neverStored() {
					s.unpaired(ctx)
				} else {
					s.loggedOut(ctx, detailNoDevice)
				}
				return
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
		case s.loggedIn.Load(): // the way is open: what dropped may come back soon
			tries = min(tries, 1)
		}
		if !s.follow(ctx, end) {
			return
		}
	}
}

// prepare makes the client of the next connection. Each has its own: whatsmeow's
// queue outlives a connection, and would hand on what is left in it beside what
// the next one brings.
func (s *session) prepare(ctx context.Context) error {
	s.mu.Lock()
	cli, l := s.cli, s.life
	s.mu.Unlock()
	if cli != nil {
		shield(cli.Store, s, l) // one that is kept; a device that it has paired with has stores
		return nil
	}
	s.mu.Lock()
	device := s.device
	s.mu.Unlock()
	var dev *store.Device
	if device == "" {
		dev = s.m.container.NewDevice()
	} else {
		j, err := types.ParseJID(device)
		if err != nil {
			return err
		}
		if dev, err = s.m.container.GetDevice(ctx, j); err != nil {
			return err
		}
		if dev == nil {
			return errNoDevice
		}
	}
	life := newLifetime(ctx)
	ctx = life.ctx
	shield(dev, s, life)
	cli = whatsmeow.NewClient(dev, library{log: s.log, held: newBacklog(ctx)})
	cli.SynchronousAck = true
	cli.EnableDecryptedEventBuffer = true
	cli.AutomaticMessageRerequestFromPhone = true
	cli.EmitAppStateEventsOnFullSync = true
	cli.ManualHistorySyncDownload = true // acknowledged when it was imported
	cli.EnableAutoReconnect = false      // run does
	cli.DisableLoginAutoReconnect = true
	cli.BackgroundEventCtx = ctx
	cli.PrePairCallback = func(id types.JID, _, _ string) bool { return s.accepted(life, id) }
	cli.GetClientPayload = func() *waWa6.ClientPayload { return payload(dev) }
	cli.GetMessageForRetry = func(_, to types.JID, id types.MessageID) *waE2E.Message { return s.forRetry(ctx, to, id) }
	cli.AddEventHandlerWithSuccessStatus(func(evt any) bool {
		if !life.begin() {
			return false // of a client that was given up
		}
		defer life.works.Done()
		return s.handle(ctx, cli, evt)
	})
	idle := dialer{s.m.Endpoint}.configure(cli, life.dialled)
	s.mu.Lock()
	s.cli, s.idle, s.life, s.name = cli, idle, life, dev.PushName
	s.mu.Unlock()
	s.broken.Store(false)
	return nil
}

// connection is one connection, from the dial to its end.
func (s *session) connection(ctx context.Context) ending {
	s.mu.Lock()
	cli, life := s.cli, s.life
	s.mu.Unlock()
	for len(s.ends) > 0 { // of the connection before
		<-s.ends
	}
	if device, phone := s.deviceAndPhone(); device != "" { // told again: the state that first told them may not have been kept
		s.set(ctx, crm.LineState{State: crm.StateConnecting, Device: &device, Phone: &phone, Detail: detailConnecting})
	}
	if err := connect(ctx, cli, life); err != nil {
		s.log.Info("WhatsApp was not reached", "error", err)
		return ending{kind: endLost, detail: detailNotReached}
	}
	var end ending
	select {
	case end = <-s.ends:
	case <-ctx.Done():
	}
	cli.Disconnect()
	return end
}

// follow does what an ending asks for, and says whether to connect again.
func (s *session) follow(ctx context.Context, end ending) (again bool) {
	if end.kind == endUnpaired && s.paired() { // the phone signed in the moment in which the last code ran out
		end.kind = endRelogin
	}
	if end.kind != endRelogin || s.paired() { // a client that nobody has paired yet goes on showing codes
		s.dropClient()
	}
	again = end.kind == endRelogin || end.kind == endBroken || end.kind == endLost && s.paired()
	s.over.Store(!again) // before anybody sees the state
	switch end.kind {
	case endRelogin:
	case endLost:
		if !again {
			s.unpaired(ctx)
			break
		}
		detail := end.detail
		if detail == "" {
			detail = "The connection to WhatsApp was lost; it is being renewed."
		}
		s.set(ctx, crm.LineState{State: crm.StateDisconnected, Detail: detail})
	case endBroken:
		s.set(ctx, crm.LineState{State: crm.StateDisconnected, Detail: detailDatabase})
	case endUnpaired:
		s.unpaired(ctx)
	case endReplaced:
		s.set(ctx, crm.LineState{State: crm.StateReplaced, Detail: detailReplaced})
	case endBanned:
		st := crm.LineState{State: crm.StateBanned, Detail: end.detail}
		if !end.until.IsZero() {
			until := end.until.Unix()
			st.BannedUntil = &until
		}
		s.set(ctx, st)
	case endOutdated:
		s.m.tooOld()
		s.set(ctx, crm.LineState{State: crm.StateOutdated, Detail: detailOutdated})
	case endLoggedOut:
		s.loggedOut(ctx, end.detail)
	}
	return again
}

// loggedOut ends the session for good: a device that was removed must never be
// used again.
func (s *session) loggedOut(ctx context.Context, detail string) {
	s.mu.Lock()
	device := s.device
	s.mu.Unlock()
	if device != "" {
		if err := s.m.forget(ctx, device); err != nil {
			s.log.Warn("the keys of an ended session could not be removed", "error", err)
		}
	}
	none := ""
	s.mu.Lock()
	s.device = ""
	s.mu.Unlock()
	s.set(ctx, crm.LineState{State: crm.StateLoggedOut, Device: &none, Detail: detail})
}

// dropClient ends a connection with all that is under way for it.
func (s *session) dropClient() {
	s.mu.Lock()
	cli, idle, life := s.cli, s.idle, s.life
	s.cli, s.idle, s.life = nil, nil, nil
	s.mu.Unlock()
	if cli != nil {
		if !life.opening.Load().is(left) {
			cli.Disconnect()
		}
		life.end()
		idle()
	}
}

// deviceAndPhone are of the account that the line is paired with; empty: none.
func (s *session) deviceAndPhone() (device, phone string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, _ := types.ParseJID(s.device) // it was written as one
	return s.device, j.User
}

func (s *session) paired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.device != ""
}

// end says that the connection is over. The first reason counts.
func (s *session) end(e ending) {
	select {
	case s.ends <- e:
	default:
	}
}

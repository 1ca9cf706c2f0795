package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/channels/clientaddr"
)

// LevelTrace is the log level that shows every frame. It is checked when a socket
// opens, so that it costs nothing when off.
const LevelTrace = slog.Level(-8)

// ErrStopping is returned by Accept while the server stops; the client has been
// answered with 503.
var ErrStopping = errors.New("server: stopping")

// Options of a Server. A zero means the default in brackets.
type Options struct {
	Log             *slog.Logger
	Writers         int                // goroutines that write [one for each core]
	QueueBytes      int                // bytes that may wait for one socket, or one frame if larger [1 MiB]
	MessageBytes    int                // size of one message from a client [16 KiB]
	ActivityTimeout time.Duration      // silence after which a socket is pinged [120 s]
	PongTimeout     time.Duration      // for the answer to a ping [30 s]
	WriteTimeout    time.Duration      // for a slow peer to take 64 KiB [10 s]
	Linger          time.Duration      // for a peer to answer our close frame [2 s]
	Heartbeat       time.Duration      // between signs of life over HTTP, see HTTPRules.Pings [25 s]
	Absence         time.Duration      // of a client over HTTP, without an open receiving request [5 s]
	PerAddress      int                // most sockets from one address, or one /64 of IPv6 [0: no limit]
	Proxies         clientaddr.Proxies // trusted ones, whose own sockets PerAddress does not count
	DrainWindow     time.Duration      // time over which sockets are closed when Run ends [0: at once]
	DrainLinger     time.Duration      // Linger of all sockets together when Run ends [500 ms]
	MovesPerSecond  int                // sockets closed in a second when Run ends and other nodes serve [500]

	// Successor says who serves the clients when Run ends. It is asked again and again
	// meanwhile, so it must be quick; nil: Nobody.
	Successor func() Successor

	// Written is called when the frame of an event with a mark was handed to the network,
	// for one of the WebSockets that get it. It must be quick; nil: it is not called.
	Written func(mark *broadcasting.Mark)
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	set := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	for d, p := range map[*time.Duration]time.Duration{
		&o.ActivityTimeout: 120 * time.Second, &o.PongTimeout: 30 * time.Second,
		&o.WriteTimeout: 10 * time.Second, &o.Linger: 2 * time.Second,
		&o.Heartbeat: 25 * time.Second, &o.Absence: 5 * time.Second, &o.DrainLinger: 500 * time.Millisecond,
	} {
		if *d <= 0 {
			*d = p
		}
	}
	set(&o.Writers, runtime.GOMAXPROCS(0))
	set(&o.QueueBytes, 1<<20)
	set(&o.MessageBytes, 16<<10)
	set(&o.MovesPerSecond, 500)
	if o.Successor == nil {
		o.Successor = func() Successor { return Nobody }
	}
	return o
}

// Handler is one socket in one dialect. Message and Closed are called by one goroutine
// at a time; Idle and Info may be called concurrently by another.
type Handler interface {
	// Message is called for every text message, which is valid UTF-8 and within
	// Options.MessageBytes or, over HTTP, HTTPRules.MessageBytes. text may be used only
	// during the call.
	Message(text []byte)
	// Idle is called after Options.ActivityTimeout of silence, to ask for a sign of
	// life in the dialect, and while messages wait (see Pacer). A ping of the WebSocket
	// protocol is sent anyway.
	Idle()
	// Disconnect returns how to end a socket for a reason of this package that the
	// WebSocket protocol has no code for. It must neither block nor lock.
	Disconnect(Reason) Disconnect
	// Closed is called once, after the last Message.
	Closed(Reason)
	// Info describes the socket for /debug/connz.
	Info() Info
}

// Server owns the sockets of this node. Make it with New; it works while Run runs.
type Server struct {
	// static
	opt     Options
	epoch   time.Time
	up      websocket.Upgrader
	reader  reader
	writers []*writer
	next    atomic.Uint32 // index of the next session's writer
	current atomic.Pointer[Limits]
	empty   chan struct{} // holds one: the last socket has gone

	goroutines sync.WaitGroup // readers and drainers
	live       sync.WaitGroup // sessions that still hold their connection
	accepted   atomic.Uint64

	mu sync.Mutex
	// guarded by mu
	stopping bool // sockets are told to come back later, new ones too
	stopped  bool // no socket can be made any more
	sockets  map[socket]struct{}
	networks map[netip.Prefix]int // open sockets, see networkOf
	ended    map[Reason]uint64
}

// New returns a Server. It starts nothing: see Run.
func New(o Options) *Server {
	s := &Server{
		opt: o.withDefaults(), epoch: time.Now(), empty: make(chan struct{}, 1),
		sockets:  map[socket]struct{}{},
		networks: map[netip.Prefix]int{}, ended: map[Reason]uint64{},
		up: websocket.Upgrader{
			ReadBufferSize: readBuffer, WriteBufferPool: &sync.Pool{},
			CheckOrigin: func(*http.Request) bool { return true }, // the dialects refuse origins themselves
		},
	}
	s.setLimits(s.opt)
	s.reader = goroutineReader{&s.goroutines}
	for range s.opt.Writers {
		s.writers = append(s.writers, newWriter())
	}
	return s
}

// Accept makes the connection of r a socket and returns; open is called once, before
// anything is read, and may already queue and close. remote is the client's address
// without port, for the limit and the log. If the request is not a WebSocket handshake,
// or Run is about to end, Accept answers the client and returns an error without calling
// open. While the sockets are being closed, new ones are still opened, and told to come
// back later: most clients take a refused handshake for a network that is broken.
func (s *Server) Accept(w http.ResponseWriter, r *http.Request, remote string, open func(*Session) Handler) error {
	return s.AcceptWith(w, r, remote, plainRules, open)
}

// AcceptWith is Accept for a dialect with rules of its own, which must not change.
func (s *Server) AcceptWith(w http.ResponseWriter, r *http.Request, remote string, rules *WebSocketRules, open func(*Session) Handler) error {
	if !s.begin() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server stops", http.StatusServiceUnavailable)
		return ErrStopping
	}
	defer s.live.Done()
	h := &hijacker{ResponseWriter: w, srv: s, remote: remote, rules: rules}
	ws, err := s.up.Upgrade(h, r, nil)
	if err != nil {
		if h.session != nil {
			h.session.shut()
		}
		return err
	}
	session := h.session
	session.trace = s.opt.Log.Enabled(r.Context(), LevelTrace)
	session.opened(open(session))
	s.enlist(session)
	session.begin()
	s.reader.start(session, ws)
	return nil
}

// begin reports whether a new socket may be made. It counts the socket as live, so that
// Run waits for it.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.live.Add(1)
	}
	return !s.stopped
}

// IsStopping reports whether the sockets are being closed. A dialect can tell a new one
// so without opening it.
func (s *Server) IsStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// enlist registers a socket, and closes it if it may not stay. From here on the
// keepalive loop and the drain find it.
func (s *Server) enlist(k socket) {
	if refused := s.list(k); refused != "" {
		k.Close(k.disconnectFor(refused))
	}
}

// list registers a socket and returns why it may not stay, if so.
func (s *Server) list(k socket) (refused Reason) {
	s.accepted.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	m := k.base()
	s.sockets[k] = struct{}{}
	m.listed = true
	if m.network = s.networkOf(m.remote); m.network.IsValid() {
		s.networks[m.network]++
		if s.networks[m.network] > s.limits().PerAddress {
			refused = AddressFull
		}
	}
	if s.stopping {
		refused = Stopping
	}
	return refused
}

// delist undoes enlist; it counts why the session ended.
func (s *Server) delist(k socket, r Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := k.base()
	if !m.listed {
		return // its handshake failed
	}
	delete(s.sockets, k)
	s.ended[r]++
	if m.network.IsValid() {
		if s.networks[m.network]--; s.networks[m.network] == 0 {
			delete(s.networks, m.network)
		}
	}
	if s.stopping && len(s.sockets) == 0 {
		select {
		case s.empty <- struct{}{}:
		default:
		}
	}
}

// Run serves the sockets until ctx ends. Then it closes them, a few at a time over
// Options.DrainWindow or, when other nodes serve, slower, and returns when every socket and goroutine is gone.
func (s *Server) Run(ctx context.Context) error {
	quit := make(chan struct{})
	var loops sync.WaitGroup
	for _, w := range s.writers {
		loops.Go(func() { w.run(quit) })
	}
	s.keep(ctx)
	s.drain()
	s.part()
	s.live.Wait()
	close(quit)
	loops.Wait()
	s.goroutines.Wait()
	return nil
}

// all appends the sockets to list.
func (s *Server) all(list []socket) []socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = slices.Grow(list, len(s.sockets))
	for k := range s.sockets {
		list = append(list, k)
	}
	return list
}

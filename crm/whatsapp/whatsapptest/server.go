package whatsapptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
)

// Options configures a server. The zero value is ready to use.
type Options struct {
	// Address to listen on; 127.0.0.1 and a free port if empty. It must be
	// loopback: the server believes whatever identity a peer claims.
	Address string
	// RootSeed derives the Noise root. Processes with the same seed have the same
	// root. With a zero seed the root is random.
	RootSeed [32]byte
	// QRCodes is how many codes a client gets to show; 6 if zero, like WhatsApp.
	// The client shows the first one for 60 s when there are 6, and for 20 s
	// otherwise.
	QRCodes int
	// Now returns the server's time; time.Now if nil.
	Now func() time.Time
	// Trace receives every node, for debugging a failing test. It may be nil.
	Trace func(format string, args ...any)
}

// Server is a simulated WhatsApp server. See the package documentation.
type Server struct {
	// static
	opts     Options
	noise    *authority
	media    *mediaHost
	listener *gate
	http     *http.Server
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	// guarded by mu
	mu           sync.Mutex
	muted        []string       // guarded by mu: kinds of requests that get no answer
	refused      map[string]int // guarded by mu: the codes that kinds of requests are refused with
	asked        map[string]int // guarded by mu: how many requests came, by kind
	changed      chan struct{}  // closed and replaced at every change
	closed       bool
	people       map[types.JID]*person // by number, and by hidden id
	pictureAsked []string              // whose pictures clients asked for
	lookups      []string              // numbers that clients asked about
	typed        map[string]*person    // by another number that WhatsApp takes for theirs
	groups       map[types.JID]*Group
	status       *Group // see statuses
	conns        map[*conn]bool
	unhandled    []string
	unavailable  bool
	terse        bool
	latency      time.Duration
	frozen       bool
	lastID       int
	lastGroup    int
	lastChannel  int
	sessions     int // ids of unified sessions that came
}

// Start starts a server that listens on opts.Address.
func Start(opts Options) (*Server, error) {
	if opts.Address == "" {
		opts.Address = "127.0.0.1:0"
	}
	if opts.QRCodes == 0 {
		opts.QRCodes = 6
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	noise, err := newAuthority(opts.RootSeed)
	if err != nil {
		return nil, fmt.Errorf("the Noise root: %w", err)
	}
	listener, err := net.Listen("tcp", opts.Address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		listener.Close()
		return nil, fmt.Errorf("%s is not a loopback address: anybody could log in as anybody", opts.Address)
	}
	s := &Server{
		opts: opts, noise: noise, media: newMediaHost(), listener: &gate{Listener: listener},
		changed: make(chan struct{}), people: make(map[types.JID]*person), typed: make(map[string]*person),
		groups: make(map[types.JID]*Group), conns: make(map[*conn]bool),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET web.whatsapp.com/ws/chat", s.serveSocket)
	mux.HandleFunc("GET web.whatsapp.com/{$}", s.serveVersion)
	mux.HandleFunc("web.whatsapp.com/", http.NotFound)
	mux.Handle("/", s.media)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.complain("the listener ended: %v", err)
		}
	})
	return s, nil
}

// Addr returns host:port, for a dialer or the setting whatsapp.endpoint.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Root returns the Noise root to trust, for the setting whatsapp.root_key.
func (s *Server) Root() [32]byte { return *s.noise.root.Pub }

// TrustRoot makes all clients of this process trust this server's root instead of
// WhatsApp's. whatsmeow reads the variable without a lock, so TrustRoot must be
// called before any client connects.
func (s *Server) TrustRoot() { whatsmeow.WACertPubKey = s.Root() }

// Configure makes a client of this process dial this server for everything.
// Connections are plain TCP under the client's https and wss URLs: net/http leaves
// TLS to DialTLSContext.
func (s *Server) Configure(client *whatsmeow.Client) {
	client.SetPreLoginHTTPClient(s.Client())
	client.SetWebsocketHTTPClient(s.Client())
	client.SetMediaHTTPClient(s.Client())
}

// Client returns an HTTP client that reaches this server under every host name.
func (s *Server) Client() *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	}
	return &http.Client{Transport: &http.Transport{
		DialContext: dial, DialTLSContext: dial, DisableKeepAlives: true,
	}}
}

// Close ends every connection and waits for the goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.cut()
	}
	s.mu.Unlock()
	s.cancel()
	err := s.http.Close()
	s.wg.Wait()
	return err
}

// UnifiedSessions returns how often clients sent an id for WhatsApp's statistics.
func (s *Server) UnifiedSessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Unhandled lists the requests of clients that the server does not know, and their
// stanzas that a phone would not understand. A test checks at its end that it is
// empty.
func (s *Server) Unhandled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unhandled)
}

func (s *Server) complain(format string, args ...any) {
	defer s.lock()()
	s.note(format, args...)
}

// note adds an entry to Unhandled. mu is held.
func (s *Server) note(format string, args ...any) {
	s.unhandled = append(s.unhandled, fmt.Sprintf(format, args...))
	s.trace("unhandled: "+format, args...)
}

func (s *Server) trace(format string, args ...any) {
	if s.opts.Trace != nil {
		s.opts.Trace(format, args...)
	}
}

// lock locks mu for a change. unlock also wakes all waiters.
func (s *Server) lock() (unlock func()) {
	s.mu.Lock()
	return func() {
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

// wait returns when done reports true. It calls done under mu after each change.
func (s *Server) wait(ctx context.Context, what string, done func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := done(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		}
	}
}

// nextID returns the next id for the server's own requests.
func (s *Server) nextID() string {
	s.lastID++
	return fmt.Sprintf("s.%d", s.lastID)
}

// find returns the person with a JID of any device and either id, or nil. mu is
// held.
func (s *Server) find(j types.JID) *person { return s.people[user(j)] }

// gate is a listener that can turn all connections away.
type gate struct {
	net.Listener
	mu   sync.Mutex
	shut bool
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if !shut {
			return c, nil
		}
		c.Close()
	}
}

// serveVersion serves the start page, where clients look up the WhatsApp Web
// version to claim (whatsmeow.GetLatestVersion).
func (s *Server) serveVersion(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `<!doctype html><script>{"client_revision":%d,"stand-in":true}</script>`, webRevision)
}

// webRevision is newer than the version built into any library.
const webRevision = 1099999999

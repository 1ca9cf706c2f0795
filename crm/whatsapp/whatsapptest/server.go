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

// Options of a server. The zero value is good.
type Options struct {
	// Address to listen on; 127.0.0.1 and a free port if empty. It is loopback
	// alone: whoever reaches the server is whoever it says it is.
	Address string
	// RootSeed makes the Noise root. Processes with the same seed have the same
	// root; zero makes a random one.
	RootSeed [32]byte
	// QRCodes is how many codes a client gets to show; 6 if zero, as WhatsApp's.
	// The client gives the first 60 s when there are 6, and 20 s otherwise.
	QRCodes int
	// Now is the server's clock; time.Now if nil.
	Now func() time.Time
	// Trace is told every node, for a test that fails; nil is silent.
	Trace func(format string, args ...any)
}

// Server is a WhatsApp of its own: see the package's text.
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
	mu          sync.Mutex
	changed     chan struct{} // closed and made anew when anything changed
	closed      bool
	people      map[types.JID]*person // by number, and by hidden id
	groups      map[types.JID]*Group
	conns       map[*conn]bool
	unhandled   []string
	unavailable bool
	latency     time.Duration
	frozen      bool
	lastID      int
	lastGroup   int
}

// Start listens.
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
		changed: make(chan struct{}), people: make(map[types.JID]*person),
		groups: make(map[types.JID]*Group), conns: make(map[*conn]bool),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws/chat", s.serveSocket)
	mux.HandleFunc("GET /{$}", s.serveVersion)
	mux.Handle("/", s.media)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.complain("the listener ended: %v", err)
		}
	})
	return s, nil
}

// Addr is host:port, for a dialer or the setting whatsapp.endpoint.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Root is the Noise root to trust, the setting whatsapp.root_key.
func (s *Server) Root() [32]byte { return *s.noise.root.Pub }

// TrustRoot makes all clients of this process trust this server's root instead
// of WhatsApp's. whatsmeow reads the variable without a lock: call it before any
// client connects.
func (s *Server) TrustRoot() { whatsmeow.WACertPubKey = s.Root() }

// Configure points a client of this process here, for everything that it dials.
// The wiring is plain TCP under the https and wss of the client's URLs: net/http
// leaves TLS to DialTLSContext.
func (s *Server) Configure(client *whatsmeow.Client) {
	client.SetPreLoginHTTPClient(s.Client())
	client.SetWebsocketHTTPClient(s.Client())
	client.SetMediaHTTPClient(s.Client())
}

// Client is an HTTP client that reaches this server under every name.
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

// Unhandled lists what clients asked that the server does not know, and what they
// did that a phone would not understand. A test ends with this empty.
func (s *Server) Unhandled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unhandled)
}

func (s *Server) complain(format string, args ...any) {
	defer s.lock()()
	s.note(format, args...)
}

// note adds to Unhandled; mu is held.
func (s *Server) note(format string, args ...any) {
	s.unhandled = append(s.unhandled, fmt.Sprintf(format, args...))
	s.trace("unhandled: "+format, args...)
}

func (s *Server) trace(format string, args ...any) {
	if s.opts.Trace != nil {
		s.opts.Trace(format, args...)
	}
}

// lock is for those who change something: unlocking wakes all that wait.
func (s *Server) lock() (unlock func()) {
	s.mu.Lock()
	return func() {
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

// wait returns when done says so, which is asked under mu after each change.
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

// nextID numbers the server's own requests.
func (s *Server) nextID() string {
	s.lastID++
	return fmt.Sprintf("s.%d", s.lastID)
}

// find is the person of a JID, of any device and either id; mu is held.
func (s *Server) find(j types.JID) *person { return s.people[user(j)] }

// gate is the listener, which can turn everybody away.
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

// serveVersion is the start page, in which clients look up the version of
// WhatsApp Web that they should claim to be (whatsmeow.GetLatestVersion).
func (s *Server) serveVersion(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `<!doctype html><script>{"client_revision":%d,"stand-in":true}</script>`, webRevision)
}

// webRevision is newer than what any library has built in.
const webRevision = 1099999999

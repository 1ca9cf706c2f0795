package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"chatcast/cmd/chatcast/config"
)

// unixPrefix is the prefix of an address that is the path of a Unix socket.
const unixPrefix = config.UnixPrefix

// listen opens the addresses, or takes over listeners for the main one.
func (p *Program) listen(inherited []net.Listener) (err error) {
	p.listeners = inherited
	s := p.cfg.Server
	if len(inherited) == 0 {
		l, err := listen("server.address", s.Address, s)
		if err != nil {
			return err
		}
		p.listeners = []net.Listener{l}
	}
	for i, l := range p.listeners {
		p.listeners[i] = &listener{Listener: l, log: p.log.With("component", "http")}
	}
	if strings.HasPrefix(p.Address(), unixPrefix) && s.PublicURL == "" {
		return errors.New("server.public_url: is needed with a Unix socket, which has no URL that links could lead to")
	}
	if s.InternalAddress != "" {
		p.internal, err = listen("server.internal_address", s.InternalAddress, s)
	}
	return err
}

// listen listens on the address of a setting.
func listen(setting, address string, s config.ServerConfig) (net.Listener, error) {
	if path, unix := strings.CutPrefix(address, unixPrefix); unix {
		l, err := listenUnix(path, s.SocketMode)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", setting, err)
		}
		return l, nil
	}
	var how net.ListenConfig
	if s.ReusePort {
		how.Control = reusePort
	}
	l, err := how.Listen(context.Background(), "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: another program uses %s; stop it, or give another port with --%[1]s=HOST:PORT", setting, address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: this user may not listen on %s; ports below 1024 need the capability CAP_NET_BIND_SERVICE", setting, address)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return l, nil
}

// listenUnix makes a Unix socket at path with the mode. It replaces one that a killed
// process has left behind, but no other file, and no socket that somebody listens on.
func listenUnix(path, mode string) (net.Listener, error) {
	perm, err := config.SocketMode(mode)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSocket == 0:
		return nil, fmt.Errorf("%s exists and is no socket; remove it, or give another path", path)
	default:
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("another program listens on %s; stop it, or give another path", path)
		} else if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, fmt.Errorf("it cannot be known whether another program listens on %s: %w", path, err)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("the socket of a process that has ended is in the way: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, perm); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// addressOf returns the address of l as server.address has it.
func addressOf(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return unixPrefix + l.Addr().String()
	}
	return l.Addr().String()
}

func (p *Program) closeListeners() error {
	if p.internal == nil {
		return closeAll(p.listeners...)
	}
	return errors.Join(closeAll(p.listeners...), closeAll(p.internal))
}

func closeAll(listeners ...net.Listener) error {
	var errs []error
	for _, l := range listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) { // Run may have closed it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// listener is a listener of the main address. It says when there are no file descriptors
// left for new connections: net/http tries again, and everybody waits.
type listener struct {
	net.Listener
	log *slog.Logger

	mu sync.Mutex
	// guarded by mu
	failed int       // accepts that failed since the log was last told that all is well
	logged time.Time // when the log was last told that none are left
	full   bool      // and has not been told otherwise since
}

// fullEvery is the time between two log lines about missing file descriptors.
const fullEvery = 10 * time.Second

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.refused(err, time.Now())
	} else if err == nil {
		l.accepted()
	}
	if u, unix := c.(*net.UnixConn); unix {
		return localConn{u}, err
	}
	return c, err
}

// refused notes that a connection could not be accepted.
func (l *listener) refused(err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
	if now.Sub(l.logged) < fullEvery {
		return
	}
	l.logged, l.full = now, true
	l.log.Warn("no file descriptors are left for new connections, which wait; raise the limit (LimitNOFILE, ulimit -n)", "error", err, "failed", l.failed)
}

// accepted notes that a connection was accepted.
func (l *listener) accepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		l.log.Info("connections are accepted again", "failed", l.failed)
		l.failed, l.full = 0, false
	}
}

// localConn is a connection from a Unix socket. Its other end is on this machine, so it
// counts as loopback: like a proxy at 127.0.0.1 it may name the client's address, if
// server.trusted_proxies has it.
type localConn struct{ *net.UnixConn }

// RemoteAddr implements net.Conn.
func (localConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// urlOf returns the URL of the address that the server listens on, with its base path.
func urlOf(cfg config.Config, address string) string {
	scheme := "http"
	if cfg.Server.TLS.Cert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = ""
	}
	return scheme + "://" + net.JoinHostPort(cmp.Or(host, "localhost"), port) + cfg.Server.Path()
}

// Package app is the program: every component, wired on one page (wire.go). New makes
// it, Run serves until its context ends, Close releases what New took. Only this package
// imports all the plugs. Commands and tests start it.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/server"
	"chatcast/server/pusher"
)

// Timeouts of the HTTP listeners. A request may take long: a long poll waits for a
// minute, a file may be large. The timeouts do not apply to sockets.
const (
	headerTime  = 10 * time.Second
	requestTime = 5 * time.Minute
	answerTime  = 10 * time.Minute
	idleTime    = 2 * time.Minute
	maxHeader   = 32 << 10
	finishTime  = 2 * time.Second // for requests in flight when the program stops
	abandonTime = 5 * time.Second // for the remaining requests, after they were cancelled
)

// Options holds the parameters of New besides the configuration.
type Options struct {
	Log             *slog.Logger
	Version, Commit string // shown by GET /v1/server, /metrics and the console
	// PasswordCost is bcrypt's cost; 0 is the default. Tests lower it: with the race
	// detector a single hash takes seconds.
	PasswordCost int
	// Wrap wraps the handler of the main address; nil does not.
	Wrap func(http.Handler) http.Handler
}

// Program is the whole server. New makes it, Run works until its context ends,
// Close releases what New took. Close is called after Run returned, or after New if
// Run is not called.
type Program struct {
	// static
	cfg             config.Config
	log             *slog.Logger
	version, commit string
	parts           *components
	first           crm.Bootstrapped // created at the first start; Created is false later

	handler http.Handler // serves the main address

	listener net.Listener
	internal net.Listener // nil: off
}

// New opens the database, migrates it to this version, fills it if it is empty,
// and listens on the addresses. It serves nothing before Run.
func New(ctx context.Context, cfg config.Config, o Options) (made *Program, err error) {
	store, err := OpenStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p := &Program{cfg: cfg, log: o.Log, version: o.Version, commit: o.Commit}
	defer func() {
		if err != nil {
			if p.parts != nil {
				err = errors.Join(err, p.parts.close())
			}
			err = errors.Join(err, p.closeListeners(), store.Close())
		}
	}()
	if err := store.Lock(ctx); err != nil {
		return nil, err
	}
	if p.listener, err = listen("server.address", cfg.Server.Address); err != nil {
		return nil, err
	}
	if cfg.Server.InternalAddress != "" {
		if p.internal, err = listen("server.internal_address", cfg.Server.InternalAddress); err != nil {
			return nil, err
		}
	}
	publicURL := cmp.Or(cfg.Server.PublicURL, strings.TrimSuffix(p.URL(), "/"))
	if p.parts, err = wire(ctx, cfg, o, store, publicURL); err != nil {
		return nil, err
	}
	if p.handler = p.parts.router; o.Wrap != nil {
		p.handler = o.Wrap(p.handler)
	}
	if p.first, err = p.parts.rules.Bootstrap(ctx, cfg.Bootstrap.Rules()); err != nil {
		return nil, err
	}
	return p, nil
}

// First returns what the first start on this database made; later, Created is false.
func (p *Program) First() crm.Bootstrapped { return p.first }

// Components are parts of a program. Callers may inspect them and use them without
// the network. The program owns them.
type Components struct {
	Store   *models.Store
	Rules   *crm.Service
	Engine  *broadcasting.Engine
	Apps    *pusher.Apps
	Sockets *server.Server
	Router  *gin.Engine
}

// Components returns the parts of the program.
func (p *Program) Components() Components {
	r := p.parts
	return Components{Store: r.store, Rules: r.rules, Engine: r.engine, Apps: r.apps, Sockets: r.sockets, Router: r.router}
}

// Address returns the address that the program listens on. If the configured port is
// 0, it has the port that the system chose.
func (p *Program) Address() string { return p.listener.Addr().String() }

// InternalAddress returns the address of the internal listener; empty if it is off.
func (p *Program) InternalAddress() string {
	if p.internal == nil {
		return ""
	}
	return p.internal.Addr().String()
}

// URL returns the URL of the landing page for a browser on this machine.
func (p *Program) URL() string {
	return urlOf(p.cfg, p.Address()) + "/"
}

// urlOf returns the URL of the address that the server listens on.
func urlOf(cfg config.Config, address string) string {
	scheme := "http"
	if cfg.Server.TLS.Cert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() || host == "" {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Run serves until ctx ends, then drains: it accepts nothing new, lets requests in
// flight finish, tells the sockets to reconnect, publishes the rest of the journal,
// and returns nil. It returns an error if a component fails.
func (p *Program) Run(ctx context.Context) error {
	// The back runs until the front has ended, so that the effects of the last
	// requests are journalled and published too.
	back, stopBack := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBack()
	front, stopFront := context.WithCancel(ctx)
	defer stopFront()

	backGroup, backCtx := errgroup.WithContext(back)
	backGroup.Go(func() error { return p.parts.engine.Run(backCtx) })
	backGroup.Go(func() error { return p.parts.hooks.Run(backCtx) })
	backGroup.Go(func() error { return p.parts.relay.Run(backCtx) })
	backGroup.Go(func() error { return p.parts.online.Run(backCtx) })
	backGroup.Go(func() error { return p.parts.rules.RunSweeper(backCtx) })
	backGroup.Go(func() error { return p.parts.rules.RunCutOffs(backCtx) })
	backGroup.Go(func() error { return p.parts.rules.RunAudit(backCtx) })
	backGroup.Go(func() error { return p.parts.monitor.Run(backCtx) })
	backGroup.Go(func() error { return p.parts.watcher.Run(backCtx) })
	if p.internal != nil {
		m := metrics{sockets: p.parts.sockets, monitor: p.parts.monitor, hooks: p.parts.hooks, refusals: p.parts.refusals, version: p.version, commit: p.commit}
		backGroup.Go(func() error { return serveInternal(backCtx, p.internal, internalRoutes(m)) })
	}
	defer context.AfterFunc(backCtx, stopFront)() // a component that fails stops the program

	frontGroup, frontCtx := errgroup.WithContext(front)
	frontGroup.Go(func() error { return p.parts.sockets.Run(frontCtx) })
	frontGroup.Go(func() error { return p.parts.whatsapp.Run(frontCtx) })
	frontGroup.Go(func() error { return p.serveHTTP(frontCtx) })
	frontGroup.Go(func() error {
		<-frontCtx.Done()
		p.parts.health.stopping.Store(true)
		p.parts.hooks.Stopping()
		p.log.Info("stopping: requests finish, sockets are told to reconnect", "sockets", p.parts.sockets.Stats().Open)
		return nil
	})
	err := frontGroup.Wait()
	stopBack()
	return errors.Join(err, backGroup.Wait())
}

// serveHTTP serves the main address until ctx ends and the requests are done.
func (p *Program) serveHTTP(ctx context.Context) error {
	requests, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	srv := &http.Server{
		Handler: p.handler, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(p.log.With("component", "http").Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return requests },
	}
	ended := make(chan error, 1)
	go func() {
		if tls := p.cfg.Server.TLS; tls.Cert != "" {
			ended <- srv.ServeTLS(p.listener, tls.Cert, tls.Key)
			return
		}
		ended <- srv.Serve(p.listener)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("server.address: %w", err)
	case <-ctx.Done():
	}
	if shutdown(srv, finishTime) != nil { // cancel long polls: their clients are told to try again
		giveUp(crm.Unavailable("the server stops; try again"))
		if shutdown(srv, abandonTime) != nil {
			p.log.Warn("requests did not end and were cut")
			_ = srv.Close()
		}
	}
	<-ended
	return nil
}

// shutdown waits at most the given time for srv's requests.
func shutdown(srv *http.Server, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	return srv.Shutdown(ctx)
}

// serveInternal serves the internal address until ctx ends.
func serveInternal(ctx context.Context, l net.Listener, routes http.Handler) error {
	srv := &http.Server{Handler: routes, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("server.internal_address: %w", err)
	}
	return nil
}

// Close releases the addresses and the database.
func (p *Program) Close() error {
	return errors.Join(p.closeListeners(), p.parts.close(), p.parts.store.Close())
}

// listen listens on the address of a setting.
func listen(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
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

func (p *Program) closeListeners() error {
	var errs []error
	for _, l := range []net.Listener{p.listener, p.internal} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) { // Run may have closed it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Package app is the program: every component, wired on one page (wire.go). New makes it, Run
// serves until its context ends, Close lets go of what New took. It alone holds all the
// plugs. Commands and tests start it.
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

// Times of the HTTP listeners. A request may take long: a long poll waits a
// minute, a file may be large. Sockets are not held to them.
const (
	headerTime  = 10 * time.Second
	requestTime = 5 * time.Minute
	answerTime  = 10 * time.Minute
	idleTime    = 2 * time.Minute
	maxHeader   = 32 << 10
	finishTime  = 2 * time.Second // for requests in flight when the program stops
	abandonTime = 5 * time.Second // for the rest of them, after they were told
)

// Options are what the caller of New gives besides the configuration.
type Options struct {
	Log             *slog.Logger
	Version, Commit string // as GET /v1/server, /metrics and the console show them
	// PasswordCost is bcrypt's; 0 is its default. Tests lower it: with the race
	// detector a single hash takes seconds.
	PasswordCost int
	// Wrap goes around what the main address answers with; nil: nothing does.
	Wrap func(http.Handler) http.Handler
}

// Program is the whole server. New makes it, Run works until its context ends,
// Close lets go of what New took; Close follows Run, or New when Run is not
// called.
type Program struct {
	// static
	cfg             config.Config
	log             *slog.Logger
	version, commit string
	parts           *components
	first           crm.Bootstrapped // what the first start made; Created is false later

	handler http.Handler // what the main address answers with

	listener net.Listener
	internal net.Listener // nil: off
}

// New opens the database, brings it to this version, fills it when it is empty,
// and takes the addresses. Nothing is served until Run.
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
	if p.listener, err = net.Listen("tcp", cfg.Server.Address); err != nil {
		return nil, fmt.Errorf("server.address: %w", err)
	}
	if cfg.Server.InternalAddress != "" {
		if p.internal, err = net.Listen("tcp", cfg.Server.InternalAddress); err != nil {
			return nil, fmt.Errorf("server.internal_address: %w", err)
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

// First is what the first start on this database made; Created is false later.
func (p *Program) First() crm.Bootstrapped { return p.first }

// Components are parts of a program, to look into it and to act beside the wire.
// They stay the program's.
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

// Address is where the program listens, with the port that the system chose when
// it was 0.
func (p *Program) Address() string { return p.listener.Addr().String() }

// InternalAddress is Address of the internal listener; empty when it is off.
func (p *Program) InternalAddress() string {
	if p.internal == nil {
		return ""
	}
	return p.internal.Addr().String()
}

// URL is the landing page, as a browser on this machine reaches it.
func (p *Program) URL() string {
	scheme := "http"
	if p.cfg.Server.TLS.Cert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(p.Address())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// Run serves until ctx ends, then drains: it takes nothing new, lets requests in
// flight finish, tells the sockets to reconnect, publishes what the journal has,
// and returns nil. It returns an error when a part of it fails.
func (p *Program) Run(ctx context.Context) error {
	// The back works until the front has ended: who is answered last is journalled
	// and published too.
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
	backGroup.Go(func() error { return p.parts.monitor.Run(backCtx) })
	backGroup.Go(func() error { return p.parts.watcher.Run(backCtx) })
	if p.internal != nil {
		m := metrics{sockets: p.parts.sockets, monitor: p.parts.monitor, hooks: p.parts.hooks, version: p.version, commit: p.commit}
		backGroup.Go(func() error { return serveInternal(backCtx, p.internal, internalRoutes(m)) })
	}
	defer context.AfterFunc(backCtx, stopFront)() // a part that fails stops the whole

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
	if shutdown(srv, finishTime) != nil { // who waits for events is told to ask again
		giveUp(crm.Unavailable("the server stops; try again"))
		if shutdown(srv, abandonTime) != nil {
			p.log.Warn("requests did not end and were cut")
			_ = srv.Close()
		}
	}
	<-ended
	return nil
}

// shutdown waits for srv's requests for at most the time given.
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

// Close lets go of the addresses and the database.
func (p *Program) Close() error {
	return errors.Join(p.closeListeners(), p.parts.close(), p.parts.store.Close())
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

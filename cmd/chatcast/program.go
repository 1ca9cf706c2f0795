package main

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

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
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

// Program is the whole server. New makes it, Run works until its context ends,
// Close lets go of what New took; Close follows Run, or New when Run is not
// called.
type Program struct {
	// static
	cfg   Config
	log   *slog.Logger
	rooms *rooms
	first crm.Bootstrapped // what the first start made; Created is false later

	// handler is what the main address answers with: the router, or what the tests
	// put around it before Run.
	handler http.Handler

	listener net.Listener
	internal net.Listener // nil: off
}

// New opens the database, brings it to this version, fills it when it is empty,
// and takes the addresses. Nothing is served until Run.
func New(ctx context.Context, cfg Config, log *slog.Logger) (made *Program, err error) {
	store, err := openStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p := &Program{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			if p.rooms != nil {
				err = errors.Join(err, p.rooms.close())
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
	if p.rooms, err = wire(ctx, cfg, store, publicURL, log); err != nil {
		return nil, err
	}
	p.handler = p.rooms.router
	if p.first, err = p.rooms.rules.Bootstrap(ctx, cfg.Bootstrap.rules()); err != nil {
		return nil, err
	}
	return p, nil
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
	backGroup.Go(func() error { return p.rooms.engine.Run(backCtx) })
	backGroup.Go(func() error { return p.rooms.hooks.Run(backCtx) })
	backGroup.Go(func() error { return p.rooms.relay.Run(backCtx) })
	backGroup.Go(func() error { return p.rooms.attendance.Run(backCtx) })
	backGroup.Go(func() error { return p.rooms.rules.RunSweeper(backCtx) })
	backGroup.Go(func() error { return p.rooms.monitor.Run(backCtx) })
	backGroup.Go(func() error { return p.rooms.book.Run(backCtx) })
	if p.internal != nil {
		m := metrics{p.rooms.sockets, p.rooms.monitor, p.rooms.hooks}
		backGroup.Go(func() error { return serveInternal(backCtx, p.internal, internalRoutes(m)) })
	}
	defer context.AfterFunc(backCtx, stopFront)() // a part that fails stops the whole

	frontGroup, frontCtx := errgroup.WithContext(front)
	frontGroup.Go(func() error { return p.rooms.sockets.Run(frontCtx) })
	frontGroup.Go(func() error { return p.rooms.whatsapp.Run(frontCtx) })
	frontGroup.Go(func() error { return p.serveHTTP(frontCtx) })
	frontGroup.Go(func() error {
		<-frontCtx.Done()
		p.rooms.health.stopping.Store(true)
		p.rooms.hooks.Stopping()
		p.log.Info("stopping: requests finish, sockets are told to reconnect", "sockets", p.rooms.sockets.Stats().Open)
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
		ErrorLog:    slog.NewLogLogger(p.log.With("room", "http").Handler(), slog.LevelDebug),
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
	return errors.Join(p.closeListeners(), p.rooms.close(), p.rooms.store.Close())
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

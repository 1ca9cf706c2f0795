package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
)

// Timeouts of the HTTP listeners. A request may take long: a long poll waits for a
// minute, a file may be large. The timeouts do not apply to sockets.
const (
	headerTime  = 10 * time.Second
	requestTime = 5 * time.Minute
	answerTime  = 10 * time.Minute
	idleTime    = 2 * time.Minute
	maxHeader   = 32 << 10
	finishTime  = 4 * time.Second        // for requests in flight when the program stops, before the sockets end
	lastTime    = 250 * time.Millisecond // for those that came meanwhile
	abandonTime = time.Second            // for the remaining requests, after they were cancelled
)

// stage is a group of components that stop together. The program stops stage by stage.
type stage struct {
	ctx   context.Context
	end   context.CancelFunc
	group *errgroup.Group
}

// newStage returns a stage whose components run until stop, or until one of them has
// failed. Then it calls failed.
func newStage(ctx context.Context, failed func()) *stage {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	group, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, failed)
	return &stage{ctx, end, group}
}

func (s *stage) run(f func(ctx context.Context) error) {
	s.group.Go(func() error { return f(s.ctx) })
}

// stop ends the stage, and returns when its components have ended.
func (s *stage) stop() error {
	s.end()
	return s.group.Wait()
}

// Run serves until ctx ends, then stops: requests in flight finish and lines disconnect;
// then the sockets are told to come back in a second; then nobody is accepted any more,
// and the rest of the journal is published. It returns an error if a component fails.
//
// Clients that find nobody when they come back try again much later, pusher-js after 15
// seconds. So the sockets end last of what may take long, and until they have ended the
// address answers. In the backlog of inherited listeners clients wait for the next
// program, as they do in its own if it listens already (see handOver).
func (p *Program) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	back, front, sockets, work := newStage(ctx, stop), newStage(ctx, stop), newStage(ctx, stop), newStage(ctx, stop)
	p.runBack(back)
	p.awaitNodes(ctx)
	front.run(p.serveHTTP)
	sockets.run(p.parts.sockets.Run)
	work.run(p.parts.whatsapp.Run)

	<-ctx.Done()
	p.parts.health.stopping.Store(true)
	p.parts.hooks.Stopping()
	p.parts.callbacks.Stopping()
	p.log.Info("stopping: requests finish, then sockets are told to reconnect", "sockets", p.parts.sockets.Stats().Open)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	work.run(func(context.Context) error { p.requests.Finish(finish, errStopping); return nil })
	work.run(func(context.Context) error { p.parts.hooks.Quiet(finish); return nil })
	err := work.stop()
	p.handOver(context.WithoutCancel(ctx))
	return errors.Join(err, sockets.stop(), front.stop(), back.stop())
}

// errStopping answers requests that cannot finish.
var errStopping = crm.Unavailable("the server stops; try again")

// runBack runs the components that stop last, so that the effects of the last requests
// are journalled and published too.
func (p *Program) runBack(back *stage) {
	for _, f := range []func(context.Context) error{
		p.parts.engine.Run, p.parts.history.Run, p.parts.hooks.Run, p.parts.callbacks.Run, p.parts.relay.Run, p.parts.online.Run, p.parts.rules.RunSweeper,
		func(ctx context.Context) error { return p.parts.rules.RunCutOffs(ctx, p.cutOffs) },
		p.parts.rules.RunAccessEnds, p.parts.rules.RunInstances, p.parts.rules.RunAudit, p.parts.rules.RunIndexer, p.parts.monitor.Run, p.parts.watcher.Run, p.parts.health.run, p.keepLock,
	} {
		back.run(f)
	}
	if p.parts.tail != nil {
		back.run(p.parts.tail.Run)
		back.run(p.parts.waker.Run)
	}
	if p.tls != nil {
		back.run(p.tls.run)
	}
	if p.internal != nil {
		m := metrics{sockets: p.parts.sockets, streams: p.parts.streams, instances: p.parts.instances, monitor: p.parts.monitor, hooks: p.parts.hooks, callbacks: p.parts.callbacks, refusals: p.parts.refusals, version: p.version, commit: p.commit}
		back.run(func(ctx context.Context) error {
			return serveInternal(ctx, p.internal, internalRoutes(m, p.parts.collectors()...))
		})
	}
}

// awaitNodes waits until this node knows what the others have, so that its first sockets do
// too. A node that does not say it in time keeps nobody from being served.
func (p *Program) awaitNodes(ctx context.Context) {
	if p.parts.nodes == nil {
		return
	}
	if err := p.parts.nodes.Presence().Complete(ctx); err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "this node serves before it knows what the others have", "error", err)
	}
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
	if p.tls != nil {
		srv.TLSConfig = p.tls.config()
	}
	var serving errgroup.Group
	failed := make(chan error, len(p.listeners))
	for _, l := range p.listeners {
		serving.Go(func() error {
			err := p.serve(srv, l)
			if !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("server.address: %w", err)
			}
			return nil
		})
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	if shutdown(srv, lastTime) != nil {
		giveUp(errStopping)
		if shutdown(srv, abandonTime) != nil {
			p.log.Warn("requests did not end and were cut")
			_ = srv.Close()
		}
	}
	_ = serving.Wait()
	return err
}

func (p *Program) serve(srv *http.Server, l net.Listener) error {
	if p.tls != nil {
		return srv.ServeTLS(l, "", "")
	}
	return srv.Serve(l)
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

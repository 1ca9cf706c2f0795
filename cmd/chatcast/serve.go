package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
)

// serve runs the server until a signal stops it.
func serve(ctx context.Context, in invocation) error {
	level := new(slog.LevelVar)
	level.Set(config.Level(in.cfg.Log.Level))
	log := config.NewLogAt(in.stderr, in.cfg.Log, level)
	ctx, stop := stopOnSignal(ctx, log)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	listeners, err := inherited()
	if err != nil {
		return err
	}
	p, err := app.New(ctx, in.cfg, app.Options{Log: log, Level: level, Listeners: listeners, Version: version, Commit: commitID()})
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		log.Info("stopped before it served")
		return nil
	}
	if err != nil {
		return err
	}
	greet(in.stdout, in.cfg, p)
	if len(listeners) > 0 {
		log.Info("the sockets that systemd has passed are used in place of server.address", "sockets", len(listeners))
	}
	log.Info("serving", "address", p.Address(), "internal", p.InternalAddress(), "version", version, "commit", commitID())
	ended := make(chan struct{})
	var reloads sync.WaitGroup
	reloads.Go(func() { reloadOn(ctx, hangups, ended, in.load, p, log) })
	err = p.Run(ctx)
	close(ended)
	reloads.Wait()
	err = errors.Join(err, p.Close())
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// inherited returns the listening sockets that systemd, or whoever starts the program,
// has passed to it. They outlive the program.
func inherited() (list []net.Listener, err error) {
	for _, f := range activation.Files(true) {
		l, err := net.FileListener(f)
		if err != nil {
			return nil, fmt.Errorf("the file descriptor %s that systemd has passed (LISTEN_FDS) is no listening socket: %w", f.Name(), err)
		}
		_ = f.Close() // l has a copy
		list = append(list, l)
	}
	return list, nil
}

// reloadOn reloads the configuration at each signal until the program ends. After an
// error everything stays as it is.
func reloadOn(ctx context.Context, signals <-chan os.Signal, ended <-chan struct{}, load func() (config.Config, error), p *app.Program, log *slog.Logger) {
	for {
		select {
		case <-ended:
			return
		case <-signals:
		}
		next, err := load()
		if err == nil {
			err = p.Reload(ctx, next)
		}
		if err != nil {
			log.Error("the configuration was not reloaded, and nothing has changed", "error", err)
		}
	}
}

// oneWish is how long after the first signal another one counts as the same: make,
// timeout and some supervisors signal the program and then its group.
const oneWish = time.Second

// stopOnSignal cancels the context at the first SIGINT or SIGTERM. A second one after
// oneWish ends the program at once: the user does not want to wait.
func stopOnSignal(parent context.Context, log *slog.Logger) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		first := time.Now()
		for range signals {
			if time.Since(first) > oneWish {
				log.Warn("stopped at once, as asked twice: what was answered is stored, and the next start publishes the rest")
				os.Exit(exitFailed)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}

// greet prints the address of the program. At the first start it also prints how to
// sign in, which is not shown again.
func greet(w io.Writer, cfg config.Config, p *app.Program) {
	url := strings.TrimSuffix(p.URL(), "/")
	first := p.First()
	if !first.Created {
		fmt.Fprintf(w, "\n  chatcast %s is up: %s/\n\n", version, url)
		return
	}
	password, shown := first.Password, first.Password
	if !first.GeneratedPassword {
		password, shown = "YOUR_PASSWORD", "as configured"
	}
	fmt.Fprintf(w, `
  chatcast %s is up: %s/

  This is its first start, so it made a company with you as its owner.
  Keep the password: it is not shown again.

    e-mail    %s
    password  %s
    app key   %s

  Get an access token:

    curl -s %s/v1/tokens -H 'Content-Type: application/json' \
      -d '{"email":"%s","password":"%s","appId":"%s"}'

  What to do with it is on the page: %s/

`, version, url, first.Email, shown, cfg.Apps[0].Key, url, first.Email, password, first.AppID, url)
}

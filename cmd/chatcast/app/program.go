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
	"sync"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/server"
	"chatcast/server/evolution"
	"chatcast/server/pusher"
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
	// Listeners, if any, serve the main address in place of the configured one. They
	// stay open elsewhere: what connects while this process stops waits for the next.
	Listeners []net.Listener
	// Level is the level of Log, for Reload to change; nil: it stays as it is.
	Level *slog.LevelVar
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
	cutOffs         int64            // see crm.Service.RunCutOffs

	handler  http.Handler // serves the main address
	requests *server.Requests
	level    *slog.LevelVar
	tls      *certificate // nil: off

	turn      *models.Turn   // nil: no other process may follow on this address
	inherits  bool           // listeners are those of Options
	listeners []net.Listener // of the main address
	internal  net.Listener   // nil: off

	reloading sync.Mutex
	current   config.Config // as far as it is in force; guarded by reloading
}

// New listens on the addresses, opens the database, migrates it to this version, and
// fills it if it is empty. It serves nothing before Run: who connects earlier waits.
func New(ctx context.Context, cfg config.Config, o Options) (made *Program, err error) {
	p := &Program{cfg: cfg, current: cfg, log: o.Log, level: o.Level, version: o.Version, commit: o.Commit, requests: server.NewRequests()}
	var store *models.Store
	defer func() {
		if err != nil {
			if p.parts != nil {
				err = errors.Join(err, p.parts.close())
			}
			if store != nil {
				err = errors.Join(err, store.Close())
			}
			err = errors.Join(err, p.closeListeners(), p.endTurn())
		}
	}()
	p.inherits = len(o.Listeners) > 0
	if err := p.awaitTurn(ctx); err != nil {
		return nil, err
	}
	if err := p.listen(o.Listeners); err != nil {
		return nil, err
	}
	if cfg.Server.TLS.Cert != "" {
		if p.tls, err = newCertificate(cfg.Server.TLS, o.Log.With("component", "tls")); err != nil {
			return nil, fmt.Errorf("server.tls: %w", err)
		}
	}
	if store, err = p.openToServe(ctx); err != nil {
		return nil, err
	}
	if err := store.ClaimKeys(ctx); err != nil {
		return nil, err
	}
	publicURL := cmp.Or(cfg.Server.URL(), strings.TrimSuffix(p.URL(), "/"))
	if p.parts, err = wire(ctx, cfg, o, store, publicURL); err != nil {
		return nil, err
	}
	p.parts.handover.turn = p.turn
	p.handler = p.requests.Count(p.parts.router)
	if o.Wrap != nil {
		p.handler = o.Wrap(p.handler)
	}
	p.handler = server.UnderPath(cfg.Server.Path(), evolution.Serves, p.handler)
	if p.first, err = p.parts.rules.Bootstrap(ctx, cfg.Bootstrap.Rules()); err != nil {
		return nil, err
	}
	if err = p.parts.rules.LoadInstances(ctx); err != nil {
		return nil, err
	}
	if err = p.parts.rules.AdoptWebhooks(ctx); err != nil {
		return nil, err
	}
	// Before a socket is accepted: what is signed out from now on must be seen.
	if p.cutOffs, err = p.parts.rules.CutOffs(ctx); err != nil {
		return nil, err
	}
	// The same is true of what is published.
	if p.parts.tail != nil {
		if err = p.parts.tail.Start(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// oneAtATime says what to do about a second server on one database.
const oneAtATime = "stop it first. While they are updated, two servers overlap unless Kubernetes has the strategy Recreate, and Compose and Swarm the order stop-first: see docs/deployment.md"

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
func (p *Program) Address() string { return addressOf(p.listeners[0]) }

// InternalAddress returns the address of the internal listener; empty if it is off.
func (p *Program) InternalAddress() string {
	if p.internal == nil {
		return ""
	}
	return addressOf(p.internal)
}

// URL returns the URL of the landing page for a browser on this machine, or server.public_url
// when there is no port for browsers.
func (p *Program) URL() string {
	if strings.HasPrefix(p.Address(), unixPrefix) {
		return p.cfg.Server.PublicURL + "/"
	}
	return urlOf(p.cfg, p.Address()) + "/"
}

// Close releases the addresses and the database.
func (p *Program) Close() error {
	return errors.Join(p.closeListeners(), p.parts.close(), p.parts.store.Close(), p.endTurn())
}

package app

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"chatcast/models"
	"chatcast/server"
)

// Times of a change of processes on one address.
const (
	followTime   = 2 * time.Second        // for the next process to listen, once it may
	followPoll   = 5 * time.Millisecond   // between two looks whether it does
	takeOverTime = 30 * time.Second       // for the process before to leave the database
	takeOverPoll = 50 * time.Millisecond  // between two tries to take it
	yieldTime    = 500 * time.Millisecond // for the database to say whether somebody waits
)

// handover knows who serves the clients when this process stops.
type handover struct {
	turn     *models.Turn // nil: server.reuse_port is off, or this process is not alone on its database
	followed atomic.Bool  // another process listens on the address
	others   func() bool  // whether other nodes serve now; nil: this one is alone
}

// successor is server.Options.Successor.
func (h *handover) successor() server.Successor {
	switch {
	case h.others != nil && h.others():
		return server.Serving
	case h.followed.Load():
		return server.Waiting
	}
	return server.Nobody
}

// awaitTurn waits, with server.reuse_port, until the process stops that serves from the
// database now. Nothing listens here before: who connects would have to wait as well.
func (p *Program) awaitTurn(ctx context.Context) (err error) {
	if !p.cfg.Server.ReusePort || p.inherits || p.cfg.Bus.Cluster() { // nodes serve together
		return nil
	}
	p.turn, err = models.AwaitTurn(ctx, p.cfg.Database.URL, func() {
		p.log.InfoContext(ctx, "another chatcast is running on this database; this one takes over when it stops")
	})
	if err != nil {
		return fmt.Errorf("server.reuse_port: %w", err)
	}
	return nil
}

// keepLock keeps other servers away from the database until ctx ends. It returns an error
// if one has come: this one must stop.
func (p *Program) keepLock(ctx context.Context) error {
	return p.parts.store.KeepLock(ctx, func(ctx context.Context) {
		p.log.WarnContext(ctx, "the lock of the database was lost, and taken again: its server has restarted, or another one has taken over")
		if p.turn == nil {
			return
		}
		ask, cancel := context.WithTimeout(ctx, yieldTime)
		defer cancel()
		if err := p.turn.Renew(ask); err != nil {
			p.log.WarnContext(ctx, "the next process may not wait for this one", "error", err)
		}
	})
}

func (p *Program) endTurn() error {
	if p.turn == nil {
		return nil
	}
	return p.turn.Close()
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// handOver leaves the address to another process that listens on it too, if there is one:
// whoever connects from now on reaches that one.
func (p *Program) handOver(ctx context.Context) {
	h := &p.parts.handover
	if !p.cfg.Server.ReusePort || p.inherits {
		return
	}
	limit := time.Duration(0)
	if h.turn != nil {
		ask, cancel := context.WithTimeout(ctx, yieldTime)
		defer cancel()
		awaited, err := h.turn.Yield(ask)
		if err != nil {
			p.log.WarnContext(ctx, "it is not known whether another process waits", "error", err)
		}
		if !awaited {
			return
		}
		limit = followTime
	}
	if !p.awaitFollower(limit) {
		if limit > 0 {
			p.log.WarnContext(ctx, "the process that waited does not listen")
		}
		return
	}
	h.followed.Store(true)
	if err := closeAll(p.listeners...); err != nil {
		p.log.WarnContext(ctx, "the address was not left", "error", err)
	}
	p.log.InfoContext(ctx, "another process listens on the address and takes over")
}

// awaitFollower reports whether another process listens on the main address, within the
// time.
func (p *Program) awaitFollower(limit time.Duration) bool {
	tick := time.NewTicker(followPoll)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; <-tick.C {
		shared, err := portIsShared(p.listeners[0])
		if err != nil {
			p.log.Warn("it is not known whether another process listens on the address", "error", err)
			return false
		}
		if shared || time.Now().After(end) {
			return shared
		}
	}
}

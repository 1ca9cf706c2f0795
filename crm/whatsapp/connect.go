package whatsapp

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
)

// opening is the progress of opening a connection.
type opening struct {
	lost  chan struct{} // receives a value when the socket is cut
	phase atomic.Int32
}

const (
	begun  int32 = iota
	opened       // as far as we know
	failed
	left // abandoned while whatsmeow is still connecting
)

func (o *opening) is(phase int32) bool { return o.phase.Load() == phase }

// dialled records that a socket was dialled. The caller must call cut when the socket
// is cut.
func (l *lifetime) dialled() (cut func()) {
	o := l.opening.Load()
	return func() { notify(o.lost) }
}

// connectGrace is how long whatsmeow may take to notice by itself that the connection
// was cut.
const connectGrace = 300 * time.Millisecond

var errCut = errors.New("whatsapp: the line was cut before WhatsApp had greeted")

// connect opens a connection. While whatsmeow waits for the server's greeting, it
// notices neither that the connection was cut nor that ctx ended, and keeps waiting for
// 20 seconds while holding the lock that Disconnect needs. connect then abandons the
// attempt, and the client must not be used again.
func connect(ctx context.Context, cli *whatsmeow.Client, life *lifetime) error {
	o := &opening{lost: make(chan struct{}, 1)}
	life.opening.Store(o)
	done := make(chan error, 1)
	go func() {
		err := cli.ConnectContext(life.ctx)
		phase := opened
		if err != nil {
			phase = failed
		}
		if !o.phase.CompareAndSwap(begun, phase) || err != nil {
			cli.Disconnect()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-o.lost:
	case <-ctx.Done():
	}
	grace := time.NewTimer(connectGrace)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
	}
	if o.phase.CompareAndSwap(begun, left) {
		return errCut
	}
	return <-done
}

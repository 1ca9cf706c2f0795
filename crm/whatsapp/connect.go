package whatsapp

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
)

// opening is how far it is with opening a connection.
type opening struct {
	lost  chan struct{} // holds one when the socket was cut
	phase atomic.Int32
}

const (
	begun  int32 = iota
	opened       // as far as is known
	failed
	left // whatsmeow is at it still, and is left alone with that
)

func (o *opening) is(phase int32) bool { return o.phase.Load() == phase }

// dialled is told of a socket's dial, and returns what is to be called at its end.
func (l *lifetime) dialled() (cut func()) {
	o := l.opening.Load()
	return func() { notify(o.lost) }
}

// connectGrace is how long whatsmeow may take to notice by itself that a line was
// cut.
const connectGrace = 300 * time.Millisecond

var errCut = errors.New("whatsapp: the line was cut before WhatsApp had greeted")

// connect opens a connection. While whatsmeow waits for the server's greeting, it
// notices neither that the line was cut nor that nobody wants it any more, and waits
// on for 20 seconds under the lock that Disconnect needs. It is then left alone with
// that; the client is not used again.
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

package socketio

import (
	"context"
	"errors"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// maxFollowed is how many channels one namespace may be in.
const maxFollowed = 10_000

// join calls Entry.Joined, and lets Entry.Left follow it.
func (n *namespace) join(e *Entry) {
	if e.Joined == nil {
		return
	}
	n.mu.Lock()
	n.left = e.Left
	n.mu.Unlock()
	e.Joined(&n.socket)
	if n.gone.Load() {
		n.leave()
	}
}

// leave calls Entry.Left, if Joined was called and Left was not.
func (n *namespace) leave() {
	n.mu.Lock()
	left := n.left
	n.left = nil
	n.mu.Unlock()
	if left != nil {
		left(&n.socket)
	}
}

// Follow brings the client the events of one more channel, from its first one that the journal has.
// The namespace must be Wide.
func (s *Socket) Follow(ctx context.Context, channel string) error {
	n := s.n
	if n.gone.Load() || n.conn == nil {
		return nil
	}
	name, err := channels.Parse(channel)
	if err != nil {
		return err
	}
	srv := n.of.c.srv
	if n.userID != 0 {
		if _, err := srv.opt.Engine.Grant(ctx, srv.opt.App, n.id, n.owner, name.Full, ""); err != nil {
			return err
		}
	}
	err = n.conn.Subscribe(ctx, broadcasting.SubscribeRequest{
		Name: name, NeedsGrant: n.userID != 0, MaxChannels: maxFollowed, Resume: true,
	})
	switch {
	case errors.Is(err, broadcasting.ErrRevoked), errors.Is(err, broadcasting.ErrNotGranted), errors.Is(err, broadcasting.ErrClosed):
		return nil // the line has gone meanwhile, or the client
	}
	return err
}

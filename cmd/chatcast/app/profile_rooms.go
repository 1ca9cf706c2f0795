package app

import (
	"context"
	"encoding/json"
	"errors"

	"chatcast/broadcasting"
	"chatcast/crm"
	"chatcast/server/multiwa"
	"chatcast/server/socketio"
)

// rooms are the namespaces of Socket.IO: that of MultiWA, and those of the instances.
type rooms struct {
	*instanceRooms
	profiles *multiwa.Server
}

var _ socketio.Rooms = rooms{}

// Enter implements socketio.Rooms.
func (r rooms) Enter(ctx context.Context, q socketio.Request) (*socketio.Entry, error) {
	if q.Namespace != multiwa.Namespace {
		return r.instanceRooms.Enter(ctx, q)
	}
	if q.Key == "" {
		return nil, socketio.ErrNoKey
	}
	v, err := r.profiles.Visit(ctx, q.Key, q.Auth, q.Remote)
	if err != nil {
		return nil, notEntered(err)
	}
	channel, codes, feed := v.First()
	entry := &socketio.Entry{
		UserID: v.UserID(), Channel: channel, Encoder: profileEvents{feed},
		Confirm: func(ctx context.Context) error { return notEntered(v.Confirm(ctx)) },
		On: func(ctx context.Context, s *socketio.Socket, c socketio.Call) socketio.Args {
			v.Handle(ctx, profileMember{s}, c.Event, c.Values, func(answer json.RawMessage) {
				c.Acknowledge(socketio.Args{Values: []json.RawMessage{answer}})
			})
			return socketio.Args{}
		},
	}
	if codes != "" {
		entry.Live = []string{codes}
	}
	return entry, nil
}

// notEntered returns the error of Enter for one of the dialect.
func notEntered(err error) error {
	var refused *multiwa.Refusal
	switch {
	case errors.As(err, &refused):
		return &socketio.Refusal{Message: refused.Message}
	case ofRules(err, crm.CodeBadToken), ofRules(err, crm.CodeNoToken):
		return socketio.ErrInvalidKey
	}
	return err
}

// profileEvents renders the events of a profile.
type profileEvents struct{ feed multiwa.Feed }

var _ socketio.Teller = profileEvents{}

// Emits implements socketio.Encoder.
func (e profileEvents) Emits(ev broadcasting.Event) []socketio.Emit { return emits(e.feed.Emits(ev)) }

// Lost implements socketio.Teller.
func (e profileEvents) Lost(channel string) []socketio.Emit { return emits(e.feed.Lost(channel)) }

// Missed implements socketio.Teller.
func (e profileEvents) Missed(channel string, oldest, last int64) []socketio.Emit {
	return emits(e.feed.Missed(channel, oldest, last))
}

// Resumed implements socketio.Teller.
func (e profileEvents) Resumed(channel string, number int64) []socketio.Emit {
	return emits(e.feed.Resumed(channel, number))
}

func emits(of []multiwa.Emit) []socketio.Emit {
	all := make([]socketio.Emit, len(of))
	for i, one := range of {
		all[i] = socketio.Emit(one)
	}
	return all
}

// profileMember is a client in the namespace of MultiWA.
type profileMember struct{ *socketio.Socket }

var _ multiwa.Member = profileMember{}

// Name implements multiwa.Member.
func (m profileMember) Name() string { return m.ID() }

// Subscribe implements multiwa.Member.
func (m profileMember) Subscribe(ctx context.Context, s multiwa.MemberSubscription) error {
	return m.Socket.Subscribe(ctx, socketio.Subscription{
		Channel: s.Channel, Encoder: profileEvents{s.Feed}, Most: s.Most, Resume: s.Resume, After: s.After, Authorize: s.Authorize, Begun: s.Begun,
	})
}

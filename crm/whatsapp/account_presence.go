package whatsapp

import (
	"context"
	"errors"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

var _ crm.PresenceMessenger = (*Messenger)(nil)

type presenceArgs struct{ Online bool }

var presenceMethod = method[presenceArgs, none]{"presence", toType, func(ctx context.Context, m *Messenger, l crm.Line, a presenceArgs) (none, error) {
	return none{}, m.ask(ctx, l, func(q asked) error { return q.showOnline(a.Online) })
}}

// SetPresence implements crm.PresenceMessenger. It lasts while this process serves the line.
func (m *Messenger) SetPresence(ctx context.Context, l crm.Line, online bool) error {
	_, err := presenceMethod.call(ctx, m, l, presenceArgs{online})
	return err
}

// showOnline shows the account as online from now on, or only while somebody writes.
func (q asked) showOnline(always bool) error {
	shown, a := types.PresenceUnavailable, &q.attention
	a.mu.Lock()
	a.always = always
	if always {
		shown = types.PresenceAvailable
	} else if a.cli == q.cli {
		a.online = false // also when somebody has just written
	}
	a.mu.Unlock()
	err := q.sendPresence(q.ctx, q.cli, shown)
	if errors.Is(err, whatsmeow.ErrNoPushName) { // sent when the name comes
		return nil
	}
	return err
}

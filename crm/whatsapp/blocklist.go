package whatsapp

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

var _ crm.Blocker = (*Messenger)(nil)

func (m *Messenger) block(ctx context.Context, l crm.Line, id string, blocked bool) error {
	return m.ask(ctx, l, func(q asked) error {
		j, err := jidOf(id)
		if err != nil {
			return err
		}
		p := q.person(q.ctx, q.cli, j, types.EmptyJID)
		if p.LID.IsEmpty() {
			switch p, err = q.lookUp(q.ctx, q.cli, p.PN.User); {
			case errors.Is(err, errNotOnWhatsApp) || err == nil && p.LID.IsEmpty():
				return &crm.Error{Code: crm.CodeConflict, Message: "this person is not on WhatsApp"}
			case err != nil:
				return err
			}
		}
		unlock, err := q.blocklist.lock(q.ctx) // a list from before the change must not be stored after it
		if err != nil {
			return err
		}
		defer unlock()
		action := events.BlocklistChangeActionUnblock
		if blocked {
			action = events.BlocklistChangeActionBlock
		}
		_, err = q.cli.UpdateBlocklist(q.ctx, p.LID, action)
		return err
	})
}

// readBlocklist stores whom the account has blocked. One is read at a time, and while none
// is being changed.
func (s *session) readBlocklist(ctx context.Context, cli *whatsmeow.Client) {
	unlock, err := s.blocklist.lock(ctx)
	if err != nil {
		return
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	list, err := cli.GetBlocklist(ctx)
	if err != nil {
		s.log.Info("it is not known whom the account has blocked", "error", err)
		return
	}
	ids := []string{}
	for _, j := range list.JIDs {
		p := s.person(ctx, cli, j, types.EmptyJID)
		for _, id := range []string{chatID(p.PN), chatID(p.LID)} {
			if id != "" {
				ids = append(ids, id)
			}
		}
	}
	if err := s.m.rules.SetBlocked(ctx, s.on, ids); err != nil && ctx.Err() == nil {
		s.log.Warn("it could not be stored whom the account has blocked", "error", err)
	}
}

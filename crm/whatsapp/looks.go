package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

// looksFor is after how long the account's picture and its text about itself are read again while
// the line is connected: the address of the picture is good for some days.
const looksFor = 12 * time.Hour

// looksAgain is after how long they are asked for again when WhatsApp did not tell them.
const looksAgain = 10 * time.Minute

// isOwn reports whether j is the line's own account.
func (s *session) isOwn(cli *whatsmeow.Client, j types.JID) bool {
	own := self(cli)
	return j.User != "" && (j.ToNonAD() == own.PN || j.ToNonAD() == own.LID)
}

func (s *session) looksOld() bool {
	return time.Since(time.Unix(s.looksRead.Load(), 0)) > looksFor
}

// wantLooks reads the account's picture and its text about itself soon, so that clients that list
// their lines need not wait for WhatsApp.
func (s *session) wantLooks(ctx context.Context, cli *whatsmeow.Client) {
	s.helpers.Coalesce("looks", func() { s.readLooks(ctx, cli) })
}

// looksChanged has them read after a change of ours, of which WhatsApp does not tell us.
func (q asked) looksChanged(err error) {
	if life := q.lifeOf(q.cli); err == nil && life != nil {
		q.wantLooks(life.ctx, q.cli)
	}
}

func (s *session) readLooks(ctx context.Context, cli *whatsmeow.Client) {
	ctx, cancel := context.WithTimeout(ctx, s.m.times.answer)
	defer cancel()
	s.looksRead.Store(time.Now().Unix())
	q, own := asked{s, ctx, cli}, self(cli)
	found, err := cli.GetUserInfo(ctx, []types.JID{own.PN})
	if err == nil {
		var url string
		if url, err = q.pictureURL(own.PN); err == nil {
			err = s.m.rules.SetAccountLooks(ctx, s.on, crm.AccountLooks{PictureURL: url, About: aboutOf(found)})
		}
	}
	if err != nil {
		s.looksRead.Store(time.Now().Add(looksAgain - looksFor).Unix())
		s.log.Info("the picture of the account and its text are not known", "error", err)
	}
}

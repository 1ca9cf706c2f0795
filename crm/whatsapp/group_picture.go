package whatsapp

import (
	"context"
	"errors"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/media"
)

var linkedGroupMethod = method[joinArgs, sentGroup]{"group of a link", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a joinArgs) (sentGroup, error) {
	g, err := m.groupByLink(ctx, l, a.Code)
	return sendGroup(g), err
}}

// GroupByLink implements crm.GroupMessenger.
func (m *Messenger) GroupByLink(ctx context.Context, l crm.Line, code string) (*crm.Group, error) {
	sent, err := linkedGroupMethod.call(ctx, m, l, joinArgs{code})
	return sent.group(), err
}

func (m *Messenger) groupByLink(ctx context.Context, l crm.Line, code string) (g *crm.Group, err error) {
	return g, m.ask(ctx, l, func(q asked) error {
		info, err := q.cli.GetGroupInfoFromLink(q.ctx, code)
		if err == nil {
			found := q.group(info)
			g = &found
		}
		return err
	})
}

var groupPictureMethod = method[groupArgs, string]{"group picture", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a groupArgs) (url string, err error) {
	return url, m.askGroup(ctx, l, a.ID, func(q asked, j types.JID) (err error) {
		url, err = q.pictureURL(j)
		return err
	})
}}

// GroupPicture implements crm.GroupMessenger.
func (m *Messenger) GroupPicture(ctx context.Context, l crm.Line, id string) (url string, err error) {
	return groupPictureMethod.call(ctx, m, l, groupArgs{id})
}

// pictureURL returns the address of the picture of a person or a group. It is empty when
// there is none, or when the account may not see it.
func (q asked) pictureURL(j types.JID) (url string, err error) {
	info, err := q.cli.GetProfilePictureInfo(q.ctx, j, nil)
	if errors.Is(err, whatsmeow.ErrProfilePictureNotSet) || errors.Is(err, whatsmeow.ErrProfilePictureUnauthorized) {
		return "", nil
	}
	if err != nil || info == nil {
		return "", err
	}
	return info.URL, nil
}

type groupPictureArgs struct {
	ID      string
	Picture []byte // of media.Square; empty: it is taken away
}

var setGroupPictureMethod = method[groupPictureArgs, string]{"set group picture", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a groupPictureArgs) (pictureID string, err error) {
	return pictureID, m.askGroup(ctx, l, a.ID, func(q asked, j types.JID) (err error) {
		defer q.groupNews.add(j)
		pictureID, err = q.setPicture(j, a.Picture)
		return err
	})
}}

// SetGroupPicture implements crm.GroupMessenger. It makes the picture small where the request
// came in: it may have to travel to the process that serves the line.
func (m *Messenger) SetGroupPicture(ctx context.Context, l crm.Line, id string, picture []byte) (pictureID string, err error) {
	if picture, err = square(ctx, picture); err != nil {
		return "", err
	}
	return setGroupPictureMethod.call(ctx, m, l, groupPictureArgs{id, picture})
}

// square returns a picture as WhatsApp takes it, or nil for none.
func square(ctx context.Context, picture []byte) ([]byte, error) {
	if len(picture) == 0 {
		return nil, nil
	}
	small, err := media.Square(ctx, picture)
	if errors.Is(err, media.ErrNoPicture) {
		err = answerOf(err)
	}
	return small, err
}

// setPicture gives a group a picture, or the account when j is empty, or takes it away.
func (q asked) setPicture(j types.JID, picture []byte) (id string, err error) {
	if len(picture) == 0 {
		picture = nil // whatsmeow tells by this that there shall be none
	}
	if id, err = q.cli.SetGroupPhoto(q.ctx, j, picture); err != nil {
		return "", err
	}
	if picture == nil {
		id = ""
	}
	if !j.IsEmpty() {
		q.wantNewPicture(q.ctx, q.cli, j)
	}
	return id, nil
}

package whatsapp

import (
	"context"
	"errors"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

var _ crm.ProfileMessenger = (*Messenger)(nil)

var profileMethod = method[none, *crm.AccountProfile]{"profile", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, _ none) (*crm.AccountProfile, error) {
	return m.profile(ctx, l)
}}

// Profile implements crm.ProfileMessenger.
func (m *Messenger) Profile(ctx context.Context, l crm.Line) (*crm.AccountProfile, error) {
	return profileMethod.call(ctx, m, l, none{})
}

func (m *Messenger) profile(ctx context.Context, l crm.Line) (p *crm.AccountProfile, err error) {
	return p, m.ask(ctx, l, func(q asked) error {
		own := self(q.cli)
		found, err := q.cli.GetUserInfo(q.ctx, []types.JID{own.PN})
		if err != nil {
			return err
		}
		url, err := q.pictureURL(own.PN)
		if err != nil {
			return err
		}
		p = &crm.AccountProfile{
			Phone: own.PN.User, LID: hiddenOf(own), Name: content.Name(q.ownName()), About: aboutOf(found), Business: hasLabels(q.cli.Store.Platform), PictureURL: given(url),
		}
		return nil
	})
}

// maxAbout is more than WhatsApp allows.
const maxAbout = 1024

// aboutOf returns the text about the one person that WhatsApp was asked about.
func aboutOf(found map[types.JID]types.UserInfo) string {
	for _, info := range found {
		return content.Clip(info.Status, maxAbout)
	}
	return ""
}

type nameArgs struct{ Name string }

var setNameMethod = method[nameArgs, none]{"set name", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a nameArgs) (none, error) {
	return none{}, m.ask(ctx, l, func(q asked) error {
		// whatsmeow reads the change, too: then the session knows the name, and sends it
		return q.changeState(appstate.BuildSettingPushName(a.Name))
	})
}}

// SetName implements crm.ProfileMessenger.
func (m *Messenger) SetName(ctx context.Context, l crm.Line, name string) error {
	_, err := setNameMethod.call(ctx, m, l, nameArgs{name})
	return err
}

// changeState changes what the account's devices share.
func (q asked) changeState(patch appstate.PatchInfo) error {
	life := q.lifeOf(q.cli)
	if life == nil || !life.begin() { // the next connection begins after this change
		return errReconnecting
	}
	defer life.works.Done()
	if key, err := q.cli.Store.AppStateKeys.GetLatestAppStateSyncKeyID(q.ctx); err != nil || key == nil {
		return errors.Join(err, errNoStateKeys)
	}
	return stateAnswer(q.sendState(q.ctx, q.cli, patch))
}

// errNoStateKeys means that the phone has not given its key yet, as just after the pairing.
var errNoStateKeys = crm.Unavailable("the phone has not shared what this needs yet: try again in a minute")

// stateAnswer turns an error of a change of the shared state into one of the rules.
func stateAnswer(err error) error {
	var refusal *whatsmeow.IQError
	switch {
	case err == nil || errors.As(err, &refusal) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, whatsmeow.ErrIQTimedOut):
		return err
	case errors.Is(err, errReadApart), errors.Is(err, whatsmeow.ErrAppStateUpdate):
		return crm.Unavailable("the phone changes the same just now: try again")
	}
	return err
}

var setAboutMethod = method[nameArgs, none]{"set about", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a nameArgs) (none, error) {
	return none{}, m.ask(ctx, l, func(q asked) error {
		err := q.cli.SetStatusMessage(q.ctx, types.SetStatusInput{Text: &a.Name})
		q.looksChanged(err)
		return err
	})
}}

// SetAbout implements crm.ProfileMessenger.
func (m *Messenger) SetAbout(ctx context.Context, l crm.Line, about string) error {
	_, err := setAboutMethod.call(ctx, m, l, nameArgs{about})
	return err
}

type pictureArgs struct{ Picture []byte }

var setPictureMethod = method[pictureArgs, none]{"set picture", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a pictureArgs) (none, error) {
	return none{}, m.ask(ctx, l, func(q asked) error {
		_, err := q.setPicture(types.EmptyJID, a.Picture)
		q.looksChanged(err)
		return err
	})
}}

// SetProfilePicture implements crm.ProfileMessenger.
func (m *Messenger) SetProfilePicture(ctx context.Context, l crm.Line, picture []byte) error {
	small, err := square(ctx, picture)
	if err == nil {
		_, err = setPictureMethod.call(ctx, m, l, pictureArgs{small})
	}
	return err
}

// ownName returns the name that the account's owner chose. whatsmeow has it too, but
// writes its copy at any time.
func (s *session) ownName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

func (s *session) rename(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = name
}

// tellName stores the account's name while the line is connected; otherwise it is stored when it
// is.
func (s *session) tellName(ctx context.Context) {
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	if st.State == crm.StateConnected {
		st.Name = s.ownName()
		s.set(ctx, st)
	}
}

package app

import (
	"context"
	"errors"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/server/pusher"
)

// userDirectory gives /broadcasting/auth access to the users.
type userDirectory struct{ rules *crm.Service }

var (
	_ pusher.Authenticator = userDirectory{}
	_ pusher.UserInfo      = userDirectory{}
)

func (p userDirectory) Authenticate(ctx context.Context, accessToken string) (pusher.Session, error) {
	return session(p.rules.SessionOfToken(ctx, accessToken))
}

func (p userDirectory) Session(ctx context.Context, id int64) (pusher.Session, error) {
	return session(p.rules.TokenSession(ctx, id))
}

func session(s crm.TokenSession, err error) (pusher.Session, error) {
	var e *crm.Error
	if errors.As(err, &e) && (e.Code == crm.CodeBadToken || e.Code == crm.CodeNoToken) {
		return pusher.Session{}, pusher.ErrUnknownToken
	}
	if errors.As(err, &e) && e.Code == crm.CodeDenied { // the user must set up a second factor first
		return pusher.Session{}, channels.ErrDenied
	}
	return pusher.Session(s), err
}

func (p userDirectory) UserInfo(ctx context.Context, userID int64) (string, error) {
	me, err := p.rules.Me(ctx, crm.Actor{UserID: userID})
	if err != nil {
		return "", err
	}
	return me.Name, nil
}

// authTrouble is Trouble of a pusher.Authorizer.
func authTrouble(err error) *pusher.Trouble {
	e, word := crm.TroubleError(err)
	if e == nil {
		return nil
	}
	return &pusher.Trouble{Word: word, Message: e.Message, RetryAfter: e.RetryAfter}
}

package app

import (
	"context"
	"errors"

	"chatcast/crm"
	"chatcast/server/pusher"
)

// userDirectory gives /broadcasting/auth access to the users.
type userDirectory struct{ rules *crm.Service }

var (
	_ pusher.Authenticator = userDirectory{}
	_ pusher.UserInfo      = userDirectory{}
)

func (p userDirectory) Authenticate(ctx context.Context, accessToken string) (int64, error) {
	actor, err := p.rules.Authenticate(ctx, accessToken)
	var e *crm.Error
	if errors.As(err, &e) && (e.Code == crm.CodeBadToken || e.Code == crm.CodeNoToken) {
		return 0, pusher.ErrUnknownToken
	}
	return actor.UserID, err
}

func (p userDirectory) UserInfo(ctx context.Context, userID int64) (string, error) {
	me, err := p.rules.Me(ctx, crm.Actor{UserID: userID})
	if err != nil {
		return "", err
	}
	return me.Name, nil
}

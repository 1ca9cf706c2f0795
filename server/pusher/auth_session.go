package pusher

import (
	"context"
	"errors"
	"strconv"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// ErrUnknownToken is returned by an Authenticator for a token that is unknown or has
// expired.
var ErrUnknownToken = errors.New("pusher: the access token is invalid or has expired")

// Session is what an access token stands for: a user who signed in. It goes on when the
// token is refreshed. The key of a program stands for one session, which has no end.
type Session struct {
	ID     int64 // unique among all sessions, and higher than those of the user's earlier ones
	UserID int64
	Until  time.Time // the end of the access token; zero: there is none
	Key    bool      // of a program
}

// owner returns the session's user as the owner of sockets.
func (s Session) owner() broadcasting.Owner {
	return broadcasting.Owner{UserID: strconv.FormatInt(s.UserID, 10), Session: s.ID, Until: s.Until}
}

// Authenticator finds sessions. Its methods return ErrUnknownToken when there is none,
// channels.ErrDenied when its user may enter no channel, and any other error when the
// lookup failed.
type Authenticator interface {
	// Authenticate finds the session of an access token.
	Authenticate(ctx context.Context, accessToken string) (Session, error)
	// Session finds a session that may have been refreshed meanwhile.
	Session(ctx context.Context, id int64) (Session, error)
}

func (a *Authorizer) authenticate(ctx context.Context, token string) (Session, error) {
	if token == "" {
		return Session{}, errNoToken
	}
	who, err := a.Users.Authenticate(ctx, token)
	if errors.Is(err, ErrUnknownToken) {
		return Session{}, errBadToken
	}
	if errors.Is(err, channels.ErrDenied) {
		return Session{}, errDenied
	}
	return who, err
}

// confirm checks the session again after a socket was made its user's. If the session
// has ended, the socket ends too. If it was refreshed, the socket learns of its new end.
func (a *Authorizer) confirm(ctx context.Context, who Session) error {
	ctx, cancel := after(ctx)
	defer cancel()
	now, err := a.Users.Session(ctx, who.ID)
	owner := who.owner()
	switch {
	case errors.Is(err, ErrUnknownToken):
		err = errBadToken
		if endErr := a.Grants.EndSession(ctx, owner.UserID, owner.Session); endErr != nil {
			a.Log.ErrorContext(ctx, "the end of a session was not seen by every node", "user", owner.UserID, "error", endErr)
		}
	case errors.Is(err, channels.ErrDenied):
		err = errDenied
	case err == nil && now.Until.After(who.Until):
		if err := a.Grants.ExtendSession(ctx, now.owner()); err != nil {
			a.Log.WarnContext(ctx, "another node was not told that a session goes on", "user", owner.UserID, "error", err)
		}
	}
	return err
}

package pusher

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/server"
)

// confirmTimeout bounds each step of recording a permission: finding the socket,
// checking the permission again, withdrawing it.
const confirmTimeout = 10 * time.Second

// UserInfo returns what the members of a presence channel see of each other.
type UserInfo interface {
	UserInfo(ctx context.Context, userID int64) (name string, err error)
}

// Granter is the engine. It records which user owns a socket, so that it can end what
// the user may no longer see, and so that a signature made elsewhere is worth nothing.
type Granter interface {
	// Grant lets the socket enter the channel as the owner's, with this channel_data.
	// It returns false when no node has such a socket, broadcasting.ErrOtherOwner when
	// the socket is another user's, and any other error when that is not known.
	Grant(ctx context.Context, app, socketID string, o broadcasting.Owner, channel, channelData string) (bool, error)
	// Received returns how far a socket of the user, which may have ended, has come in a
	// channel that it resumed, and false when that is not known.
	Received(ctx context.Context, app, socketID, userID, channel string) (broadcasting.Progress, bool)
	// Unsubscribe ends the user's subscriptions to the channels and revokes their
	// grants.
	Unsubscribe(ctx context.Context, userID string, channels ...string) error
	// Identify records that the socket is the owner's, who may sign in on it. Its
	// results are those of Grant.
	Identify(ctx context.Context, app, socketID string, o broadcasting.Owner) (bool, error)
	// EndSession closes the sockets that the session vouched for.
	EndSession(ctx context.Context, userID string, session int64) error
	// ExtendSession tells those sockets of the session's new end.
	ExtendSession(ctx context.Context, o broadcasting.Owner) error
}

var _ Granter = (*broadcasting.Engine)(nil)

// Journal is the journal of the CRM's events.
type Journal interface {
	// Position returns a number up to which all events have been published.
	Position(ctx context.Context) (int64, error)
}

// Authorizer serves /broadcasting/auth and /broadcasting/user-auth: it signs for users
// who may enter, with the key of the app that carries the CRM's channels. It is safe
// for concurrent use.
//
// A GET with callback is answered as JSONP, which pusher-js offers to very old pages.
// The token is still in the header, because URLs end up in logs. So JSONP works only
// for pages behind a proxy that adds the header, and no site can make a browser send
// such a request in a visitor's name.
type Authorizer struct {
	App      *App
	Users    Authenticator
	UserInfo UserInfo
	Policy   channels.Policy
	Grants   Granter
	Journal  Journal // nil: only a client that names an event can resume
	Log      *slog.Logger
	Refusals *refusals.Log // may be nil
	// Trouble returns why the database cannot serve for now, or nil when err says nothing
	// of that. It may be nil.
	Trouble func(err error) *Trouble

	faults server.FaultLog
}

// Register adds the routes to r.
func (a *Authorizer) Register(r gin.IRouter) {
	r.GET("/broadcasting/auth", server.RefuseHead, a.serve)
	r.POST("/broadcasting/auth", a.serve)
	r.GET("/broadcasting/user-auth", server.RefuseHead, a.serveUser)
	r.POST("/broadcasting/user-auth", a.serveUser)
}

// channelAuth is the response that lets a socket in. Its status must be 200: pusher-js
// takes every other status as a refusal.
type channelAuth struct {
	Auth        string `json:"auth"`
	ChannelData string `json:"channel_data,omitempty"`
}

func (a *Authorizer) serve(c *gin.Context) {
	a.answer(c, refusals.ChannelAuth, func(who Session) (any, *authForm, error) {
		form, err := readAuthForm(c.Writer, c.Request)
		if err != nil {
			return nil, nil, err
		}
		answer, err := a.authorize(c.Request.Context(), who, form)
		return answer, form, err
	})
}

// writeJSONP calls the page's function with v.
func writeJSONP(c *gin.Context, callback string, v any) {
	body, _ := json.Marshal(v) // types of this package; Marshal escapes what JavaScript would not accept
	c.Header("X-Content-Type-Options", "nosniff")
	c.Data(http.StatusOK, "application/javascript", []byte(callback+"("+string(body)+")"))
	c.Abort()
}

func (a *Authorizer) authorize(ctx context.Context, who Session, form *authForm) (*channelAuth, error) {
	if err := a.admit(ctx, who.UserID, form.channel); err != nil {
		return nil, err
	}
	from, err := a.place(ctx, who, form)
	if err != nil {
		return nil, err
	}
	answer, err := a.sign(ctx, who.UserID, form, from)
	if err != nil {
		return nil, err
	}
	if err := a.grant(ctx, who, form, answer.ChannelData); err != nil {
		return nil, err
	}
	return answer, nil
}

func (a *Authorizer) admit(ctx context.Context, userID int64, name channels.Name) error {
	err := a.Policy.Authorize(ctx, userID, name)
	if errors.Is(err, channels.ErrDenied) {
		return errDenied
	}
	return err
}

func (a *Authorizer) sign(ctx context.Context, userID int64, form *authForm, from cursor) (*channelAuth, error) {
	answer := new(channelAuth)
	switch {
	case form.channel.Kind == channels.Presence:
		data, err := a.channelData(ctx, userID, from)
		if err != nil {
			return nil, err
		}
		answer.ChannelData = data
	case from.After != "":
		data, err := json.Marshal(from)
		if err != nil {
			return nil, err
		}
		answer.ChannelData = string(data)
	}
	answer.Auth = a.App.AuthChannel(form.socketID, form.channel.Full, answer.ChannelData)
	return answer, nil
}

// grant tells the engine which user owns the socket and will own the subscription, then
// checks the permission and the session again: each may have ended since the first
// check, and its end could not reach a grant that did not exist yet. If the permission
// is not confirmed, for whatever reason, the grant is withdrawn, because a grant makes
// old signatures valid again. None of the steps ends with the request, nor with the
// timeout of the step before. A socket that no node has gets no signature: there would
// be no owner to take it from.
func (a *Authorizer) grant(ctx context.Context, who Session, form *authForm, channelData string) error {
	owner, channel := who.owner(), form.channel.Full
	looking, cancel := after(ctx)
	found, err := a.Grants.Grant(looking, a.App.ID, form.socketID, owner, channel, channelData)
	cancel()
	owned := a.owned(ctx, found, err, form.socketID)
	if owned != nil && owned != errNotNow {
		return owned // nothing was granted
	}
	asking, cancel := after(ctx)
	defer cancel()
	if err := a.admit(asking, who.UserID, form.channel); err != nil {
		a.withdraw(ctx, owner.UserID, channel)
		return err
	}
	switch err := a.confirm(ctx, who); err {
	case nil:
		return owned
	case errBadToken:
		return err // the socket ends; the user's other sessions keep the channel
	default:
		a.withdraw(ctx, owner.UserID, channel)
		return err
	}
}

// withdraw revokes what was granted to the user in a channel.
func (a *Authorizer) withdraw(ctx context.Context, user, channel string) {
	ctx, cancel := after(ctx)
	defer cancel()
	if err := a.Grants.Unsubscribe(ctx, user, channel); err != nil {
		a.Log.ErrorContext(ctx, "a permission was not withdrawn on every node", "user", user, "channel", channel, "error", err)
	}
}

// after returns a context for what must be done even when ctx has ended.
func after(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), confirmTimeout)
}

// owned turns the engine's answer about a socket into a refusal. It returns nil when
// the socket has its owner now.
func (a *Authorizer) owned(ctx context.Context, found bool, err error, socketID string) error {
	switch {
	case errors.Is(err, broadcasting.ErrOtherOwner):
		return errOtherOwner
	case err != nil:
		a.Log.ErrorContext(ctx, "the owner of a socket was not recorded", "socket", socketID, "error", err)
		return errNotNow
	case !found:
		return errNoSocket
	}
	return nil
}

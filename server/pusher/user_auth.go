package pusher

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
)

// userAuth is the response that signs a socket in.
type userAuth struct {
	Auth     string `json:"auth"`
	UserData string `json:"user_data"`
}

func (a *Authorizer) serveUser(c *gin.Context) {
	a.answer(c, refusals.UserAuth, func(who Session) (any, *authForm, error) {
		form, _, err := readSocketForm(c.Writer, c.Request)
		if err != nil {
			return nil, nil, err
		}
		answer, err := a.identify(c.Request.Context(), who, form)
		return answer, form, err
	})
}

// identify signs for the socket, and tells the engine which user owns it, before the
// signature can be used: the engine then knows the CRM's users from those whom the app's
// backend signs with the same secret. Then it checks the session again, like grant.
//
// A program is nobody who could sign in.
func (a *Authorizer) identify(ctx context.Context, who Session, form *authForm) (*userAuth, error) {
	if who.Key {
		return nil, errDenied
	}
	name, err := a.UserInfo.UserInfo(ctx, who.UserID)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(struct {
		ID       string   `json:"id"`
		UserInfo userInfo `json:"user_info"`
	}{strconv.FormatInt(who.UserID, 10), userInfo{who.UserID, shorten(name)}})
	if err != nil {
		return nil, err
	}
	answer := &userAuth{Auth: a.App.AuthUser(form.socketID, string(data)), UserData: string(data)}
	looking, cancel := after(ctx)
	defer cancel()
	found, err := a.Grants.Identify(looking, a.App.ID, form.socketID, who.owner())
	owned := a.owned(ctx, found, err, form.socketID)
	if owned == nil || owned == errNotNow { // it may be the user's now
		if err := a.confirm(ctx, who); err != nil {
			return nil, err
		}
	}
	if owned != nil {
		return nil, owned
	}
	return answer, nil
}

// userInfo is what others see of a user. It includes the id, because Laravel Echo's
// here() returns nothing else.
type userInfo struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// channelData returns the channel_data of a user on a presence channel, with the cursor if
// it is not empty.
func (a *Authorizer) channelData(ctx context.Context, userID int64, from cursor) (string, error) {
	name, err := a.UserInfo.UserInfo(ctx, userID)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(struct {
		UserID   string   `json:"user_id"`
		UserInfo userInfo `json:"user_info"`
		cursor
	}{strconv.FormatInt(userID, 10), userInfo{userID, shorten(name)}, from})
	return string(data), err
}

// shorten makes a name small enough for the limit of a presence member, even if its
// characters are escaped.
func shorten(name string) string {
	const most = 100
	n := 0
	for i := range name {
		if n++; n > most {
			return name[:i] + "…"
		}
	}
	return name
}

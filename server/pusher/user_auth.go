package pusher

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/gin-gonic/gin"
)

// userAuth is the response that signs a socket in.
type userAuth struct {
	Auth     string `json:"auth"`
	UserData string `json:"user_data"`
}

func (a *Authorizer) serveUser(c *gin.Context) {
	a.answer(c, func(token string, userID int64) (any, string, error) {
		form, _, err := readSocketForm(c.Writer, c.Request)
		if err != nil {
			return nil, "", err
		}
		answer, err := a.identify(c.Request.Context(), token, userID, form)
		return answer, form.callback, err
	})
}

// identify signs for the socket, and tells the engine which user owns it. Then it
// checks the token again: if the token was withdrawn meanwhile, the withdrawal could
// not close a socket whose owner was not known.
func (a *Authorizer) identify(ctx context.Context, token string, userID int64, form *authForm) (*userAuth, error) {
	name, err := a.UserInfo.UserInfo(ctx, userID)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(struct {
		ID       string   `json:"id"`
		UserInfo userInfo `json:"user_info"`
	}{strconv.FormatInt(userID, 10), userInfo{userID, shorten(name)}})
	if err != nil {
		return nil, err
	}
	answer := &userAuth{Auth: a.App.AuthUser(form.socketID, string(data)), UserData: string(data)}
	looking, cancel := after(ctx)
	defer cancel()
	found, err := a.Grants.Identify(looking, a.App.ID, form.socketID, strconv.FormatInt(userID, 10))
	if err := a.owned(ctx, found, err, form.socketID); err != nil {
		return nil, err
	}
	if _, err := a.authenticate(ctx, token); err != nil {
		return nil, err
	}
	return answer, nil
}

// userInfo is what others see of a user. It includes the id, because Laravel Echo's
// here() returns nothing else.
type userInfo struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// channelData returns the channel_data of a user.
func (a *Authorizer) channelData(ctx context.Context, userID int64) (string, error) {
	name, err := a.UserInfo.UserInfo(ctx, userID)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(struct {
		UserID   string   `json:"user_id"`
		UserInfo userInfo `json:"user_info"`
	}{strconv.FormatInt(userID, 10), userInfo{userID, shorten(name)}})
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

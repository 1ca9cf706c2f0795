package pusher

import (
	"net/http"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// maxUserInPath is in bytes. It is the limit of Pusher's libraries, which is more than
// a presence channel accepts.
const maxUserInPath = 200

// userRef is a user in the responses of the HTTP API.
type userRef struct {
	ID string `json:"id"`
}

// users answers GET /apps/{id}/channels/{name}/users: the users in a presence channel,
// each once.
func (h *HTTPAPI) users(c *gin.Context, r request) *apiError {
	name, apiErr := channelName(c)
	if apiErr != nil {
		return apiErr
	}
	if name.Kind != channels.Presence {
		return badRequest("only presence channels have users")
	}
	roster, apiErr := able[Roster](h)
	if apiErr != nil {
		return apiErr
	}
	ids, err := roster.Members(c.Request.Context(), r.app.ID, name.Full)
	if err != nil {
		h.faults.Error(c.Request.Context(), h.Log, "listing members failed", "app", r.app.ID, "channel", name.Full, "error", err)
		return unavailable("the users are not available now")
	}
	list := make([]userRef, len(ids))
	for i, id := range ids {
		list[i] = userRef{id}
	}
	writeJSON(c, http.StatusOK, map[string]any{"users": list})
	return nil
}

var _ Roster = (*broadcasting.Engine)(nil)

// terminate ends the sockets that are signed in as a user. It counts as one event.
func (h *HTTPAPI) terminate(c *gin.Context, r request) *apiError {
	user := c.Param("user")
	switch {
	case user == "":
		return badRequest("the user's id is empty")
	case len(user) > maxUserInPath:
		return badRequest("the user's id is over %d bytes", maxUserInPath)
	case !utf8.ValidString(user):
		return badRequest("the user's id is not valid UTF-8")
	}
	if apiErr := r.app.take(writes, 1, h.now()); apiErr != nil {
		return apiErr
	}
	engine, apiErr := able[Terminator](h)
	if apiErr != nil {
		return apiErr
	}
	ctx, cancel := publishing(c)
	defer cancel()
	sockets, err := engine.Terminate(ctx, r.app.ID, user)
	if err != nil {
		h.faults.Error(ctx, h.Log, "terminating a user's connections failed", "app", r.app.ID, "sockets", sockets, "error", err)
		return unavailable("not every connection of the user could be terminated")
	}
	h.Log.DebugContext(ctx, "a user's connections were terminated", "app", r.app.ID, "sockets", sockets)
	writeEmpty(c)
	return nil
}

// oldEvent answers POST /apps/{id}/channels/{name}/events, the predecessor of POST
// /apps/{id}/events: the body is the data, the query has the rest.
func (h *HTTPAPI) oldEvent(c *gin.Context, r request) *apiError {
	channel, data := c.Param("name"), string(r.body)
	p := &publication{Name: r.query.get("name"), Data: &data, Channel: &channel, SocketID: r.query.get("socket_id")}
	apiErr := p.validateAlone(r.app, false)
	if apiErr == nil {
		apiErr = r.app.take(writes, 1, h.now())
	}
	if apiErr != nil {
		return apiErr
	}
	ctx, cancel := publishing(c)
	defer cancel()
	if h.kept(ctx, r.app, *p) != nil {
		return errNotKept()
	}
	if _, err := h.publish(ctx, r.app, p); err != nil {
		return unavailable("the event could not be published")
	}
	c.Status(http.StatusAccepted)
	c.Writer.WriteHeaderNow()
	c.Abort()
	return nil
}

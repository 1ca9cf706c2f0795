package api

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

func (a *API) registerEvents(v1, signedIn, keyed gin.IRouter) {
	keyed.GET("/events", a.serve(a.events))
	signedIn.POST("/events/tickets", noStore, a.serve(a.makeEventTicket))
	v1.GET("/events/stream", server.RefuseHead, a.streamEvents) // a HEAD would use up a ticket
}

// makeEventTicket makes a ticket for the stream of a browser, whose EventSource cannot send
// the access token.
func (a *API) makeEventTicket(c *gin.Context) (any, error) {
	var in struct {
		Channel string `json:"channel"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.MakeEventTicket(c.Request.Context(), actor(c), server.AccessToken(c.Request), in.Channel)
}

// events answers with the journal of one channel, for clients without sockets.
func (a *API) events(c *gin.Context) (any, error) {
	q := crm.EventsQuery{Channel: c.Query("channel"), AccessToken: server.AccessToken(c.Request)}
	after, err := queryInt(c, "after")
	if err != nil {
		return nil, err
	}
	limit, err := queryInt(c, "limit")
	if err != nil {
		return nil, err
	}
	wait, err := queryInt(c, "wait")
	if err != nil {
		return nil, err
	}
	newest, err := queryBool(c, "newest")
	if err != nil {
		return nil, err
	}
	// Clamping keeps values out of range for Events, but prevents an overflow here.
	q.After, q.Limit, q.Wait = after, int(clamp(limit)), time.Duration(clamp(wait))*time.Second
	q.Newest = newest != nil && *newest
	ctx, done := server.Wait(c.Request.Context())
	defer done()
	return a.CRM.Events(ctx, actor(c), q)
}

// clamp limits n to [-1, 65536]. A value that is out of range stays out of range.
func clamp(n int64) int64 { return min(max(n, -1), 1<<16) }

// queryInt returns an integer of the query, 0 if it is missing.
func queryInt(c *gin.Context, name string) (int64, error) {
	text, given := c.GetQuery(name)
	if !given {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, crm.Invalid(name, "must be an integer")
	}
	return n, nil
}

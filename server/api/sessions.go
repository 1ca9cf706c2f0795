package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/server"
)

func (a *API) registerSessions(signedIn gin.IRouter) {
	signedIn.GET("/sessions", a.serve(a.sessions))
	signedIn.DELETE("/sessions", a.serve(a.endOtherSessions))
	signedIn.DELETE("/sessions/:id", a.withID("id", a.endSession))
}

func (a *API) sessions(c *gin.Context) (any, error) {
	return a.CRM.UserSessions(c.Request.Context(), actor(c), server.AccessToken(c.Request), queryPage(c))
}

func (a *API) endOtherSessions(c *gin.Context) (any, error) {
	return nil, a.CRM.EndOtherSessions(c.Request.Context(), actor(c), server.AccessToken(c.Request))
}

func (a *API) endSession(c *gin.Context, id int64) (any, error) {
	return nil, a.CRM.EndSession(c.Request.Context(), actor(c), id)
}

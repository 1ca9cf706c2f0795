package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

func (a *API) registerMe(signedIn gin.IRouter) {
	signedIn.GET("/me", a.serve(a.me))
	signedIn.PATCH("/me", a.serve(a.changeMe))
}

func (a *API) me(c *gin.Context) (any, error) {
	return a.CRM.Me(c.Request.Context(), actor(c))
}

func (a *API) changeMe(c *gin.Context) (any, error) {
	var ch crm.MyChanges
	if err := body(c, &ch); err != nil {
		return nil, err
	}
	return a.CRM.ChangeMe(c.Request.Context(), actor(c), server.AccessToken(c.Request), ch)
}

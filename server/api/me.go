package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerMe(signedIn gin.IRouter) {
	signedIn.GET("/me", a.me)
	signedIn.PATCH("/me", a.changeMe)
}

func (a *API) me(c *gin.Context) {
	me, err := a.CRM.Me(c.Request.Context(), actor(c))
	a.reply(c, me, err)
}

func (a *API) changeMe(c *gin.Context) {
	var ch crm.MyChanges
	if err := body(c, &ch); err != nil {
		a.fail(c, err)
		return
	}
	me, err := a.CRM.ChangeMe(c.Request.Context(), actor(c), accessToken(c.Request), ch)
	a.reply(c, me, err)
}

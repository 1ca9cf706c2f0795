package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerKeys(signedIn gin.IRouter) {
	signedIn.GET("/keys", a.serve(a.keys))
	signedIn.POST("/keys", noStore, a.serve(a.createKey)) // the answer has the key
	signedIn.DELETE("/keys/:id", a.withID("id", a.revokeKey))
}

func (a *API) keys(c *gin.Context) (any, error) {
	company, err := queryID(c, "companyId")
	if err != nil {
		return nil, err
	}
	return a.CRM.Keys(c.Request.Context(), actor(c), company, queryPage(c))
}

func (a *API) createKey(c *gin.Context) (any, error) {
	var in crm.KeyInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.CreateKey(c.Request.Context(), actor(c), in)
}

func (a *API) revokeKey(c *gin.Context, id int64) (any, error) {
	return nil, a.CRM.RevokeKey(c.Request.Context(), actor(c), id)
}

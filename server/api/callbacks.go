package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerCallbacks(keyed, line gin.IRouter) {
	line.PUT("/callbackUrl", noStore, on(a, pathLine, a.setLineCallback)) // the answer may have a secret
	line.DELETE("/callbackUrl", on(a, pathLine, a.deleteLineCallback))
	keyed.PUT("/companies/:companyId/callbackUrl", noStore, a.withID("companyId", a.setCompanyCallback))
	keyed.DELETE("/companies/:companyId/callbackUrl", a.withID("companyId", a.deleteCompanyCallback))

	urls := keyed.Group("/callbackUrls")
	urls.GET("", a.serve(a.callbackURLs))
	urls.GET("/:id/deliveries", a.withID("id", a.callbackDeliveries))
	urls.POST("/:id/redeliver", a.withID("id", a.redeliverCallback))
	urls.POST("/:id/rewind", a.withID("id", a.rewindCallback))
	urls.POST("/:id/rotate", noStore, a.withID("id", a.rotateCallback)) // the answer has the secret
	urls.POST("/:id/resume", a.withID("id", a.resumeCallback))
}

func (a *API) setLineCallback(c *gin.Context, line crm.Line) (any, error) {
	var in crm.CallbackInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.SetLineCallback(c.Request.Context(), actor(c), line, in)
}

func (a *API) deleteLineCallback(c *gin.Context, line crm.Line) (any, error) {
	return nil, a.CRM.DeleteLineCallback(c.Request.Context(), actor(c), line)
}

func (a *API) setCompanyCallback(c *gin.Context, companyID int64) (any, error) {
	var in crm.CallbackInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.SetCompanyCallback(c.Request.Context(), actor(c), companyID, in)
}

func (a *API) deleteCompanyCallback(c *gin.Context, companyID int64) (any, error) {
	return nil, a.CRM.DeleteCompanyCallback(c.Request.Context(), actor(c), companyID, c.Query("format"))
}

func (a *API) callbackURLs(c *gin.Context) (any, error) {
	companyID, err := queryID(c, "companyId")
	if err != nil {
		return nil, err
	}
	return a.CRM.CallbackURLs(c.Request.Context(), actor(c), companyID)
}

func (a *API) callbackDeliveries(c *gin.Context, id int64) (any, error) {
	failed, err := queryBool(c, "failed")
	if err != nil {
		return nil, err
	}
	givenUp, err := queryBool(c, "givenUp")
	if err != nil {
		return nil, err
	}
	return a.CRM.CallbackDeliveries(c.Request.Context(), actor(c), id, crm.CallbackLogQuery{PageQuery: queryPage(c), Failed: failed, GivenUp: givenUp != nil && *givenUp})
}

func (a *API) redeliverCallback(c *gin.Context, id int64) (any, error) {
	var in struct {
		EventID *int64 `json:"eventId"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	if in.EventID == nil {
		return nil, crm.Invalid("eventId", "is required")
	}
	return a.CRM.RedeliverCallback(c.Request.Context(), actor(c), id, *in.EventID)
}

func (a *API) rewindCallback(c *gin.Context, id int64) (any, error) {
	var in crm.CallbackRewind
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.RewindCallback(c.Request.Context(), actor(c), id, in)
}

func (a *API) rotateCallback(c *gin.Context, id int64) (any, error) {
	return a.CRM.RotateCallback(c.Request.Context(), actor(c), id)
}

func (a *API) resumeCallback(c *gin.Context, id int64) (any, error) {
	return a.CRM.ResumeCallback(c.Request.Context(), actor(c), id)
}

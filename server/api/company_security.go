package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerCompanySecurity(signedIn gin.IRouter) {
	signedIn.GET("/companies/:companyId/security", a.withID("companyId", a.companySecurity))
	signedIn.PUT("/companies/:companyId/security", a.withID("companyId", a.setCompanySecurity))
}

func (a *API) companySecurity(c *gin.Context, companyID int64) (any, error) {
	return a.CRM.CompanySecurity(c.Request.Context(), actor(c), companyID)
}

func (a *API) setCompanySecurity(c *gin.Context, companyID int64) (any, error) {
	var in struct {
		RequireTOTP *bool `json:"requireTotp"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	if in.RequireTOTP == nil {
		return nil, crm.Invalid("requireTotp", "is required")
	}
	return a.CRM.SetCompanySecurity(c.Request.Context(), actor(c), companyID, crm.CompanySecurity{RequireTOTP: *in.RequireTOTP})
}

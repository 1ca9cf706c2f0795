package api

import "github.com/gin-gonic/gin"

func (a *API) registerLicenses(keyed gin.IRouter) {
	keyed.GET("/licenses", a.serve(a.licenses))
	keyed.POST("/licenses", a.serve(a.createLicense))
	keyed.PATCH("/licenses/:licenseId", a.withID("licenseId", a.renameLicense))
	keyed.DELETE("/licenses/:licenseId", a.withID("licenseId", a.deleteLicense))
	keyed.POST("/licenses/:licenseId/messengers", a.withID("licenseId", a.addMessenger))
	keyed.DELETE("/licenses/:licenseId/messengers", a.withID("licenseId", a.removeMessenger))
	keyed.DELETE("/licenses/:licenseId/messengers/:messengerType", a.withID("licenseId", a.removeMessenger))
}

func (a *API) licenses(c *gin.Context) (any, error) {
	company, err := queryID(c, "companyId")
	if err != nil {
		return nil, err
	}
	return a.CRM.Licenses(c.Request.Context(), actor(c), company)
}

func (a *API) createLicense(c *gin.Context) (any, error) {
	var in struct {
		CompanyID int64  `json:"companyId"`
		Name      string `json:"name"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.CreateLicense(c.Request.Context(), actor(c), in.CompanyID, in.Name)
}

func (a *API) renameLicense(c *gin.Context, id int64) (any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.RenameLicense(c.Request.Context(), actor(c), id, in.Name)
}

func (a *API) deleteLicense(c *gin.Context, id int64) (any, error) {
	return nil, a.CRM.DeleteLicense(c.Request.Context(), actor(c), id)
}

func (a *API) addMessenger(c *gin.Context, id int64) (any, error) {
	var in struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.AddMessenger(c.Request.Context(), actor(c), id, in.Type, in.Name)
}

// removeMessenger takes the messenger type from the path or from the body.
func (a *API) removeMessenger(c *gin.Context, id int64) (any, error) {
	in := struct {
		Type string `json:"type"`
	}{c.Param("messengerType")}
	if in.Type == "" {
		if err := body(c, &in); err != nil {
			return nil, err
		}
	}
	return a.CRM.RemoveMessenger(c.Request.Context(), actor(c), id, in.Type)
}

package api

import "github.com/gin-gonic/gin"

func (a *API) registerLicenses(signedIn gin.IRouter) {
	signedIn.GET("/licenses", a.licenses)
	signedIn.POST("/licenses", a.createLicense)
	signedIn.PATCH("/licenses/:licenseId", a.renameLicense)
	signedIn.DELETE("/licenses/:licenseId", a.deleteLicense)
	signedIn.POST("/licenses/:licenseId/messengers", a.addMessenger)
	signedIn.DELETE("/licenses/:licenseId/messengers", a.removeMessenger)
	signedIn.DELETE("/licenses/:licenseId/messengers/:messengerType", a.removeMessenger)
}

func (a *API) licenses(c *gin.Context) {
	list, err := a.CRM.Licenses(c.Request.Context(), actor(c))
	a.reply(c, list, err)
}

func (a *API) createLicense(c *gin.Context) {
	var in struct {
		CompanyID int64  `json:"companyId"`
		Name      string `json:"name"`
	}
	if err := body(c, &in); err != nil {
		a.fail(c, err)
		return
	}
	l, err := a.CRM.CreateLicense(c.Request.Context(), actor(c), in.CompanyID, in.Name)
	a.reply(c, l, err)
}

func (a *API) renameLicense(c *gin.Context) {
	var in struct {
		Name string `json:"name"`
	}
	id, err := pathID(c, "licenseId")
	if err == nil {
		err = body(c, &in)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	l, err := a.CRM.RenameLicense(c.Request.Context(), actor(c), id, in.Name)
	a.reply(c, l, err)
}

func (a *API) deleteLicense(c *gin.Context) {
	id, err := pathID(c, "licenseId")
	if err == nil {
		err = a.CRM.DeleteLicense(c.Request.Context(), actor(c), id)
	}
	a.reply(c, nil, err)
}

func (a *API) addMessenger(c *gin.Context) {
	var in struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	id, err := pathID(c, "licenseId")
	if err == nil {
		err = body(c, &in)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	l, err := a.CRM.AddMessenger(c.Request.Context(), actor(c), id, in.Type, in.Name)
	a.reply(c, l, err)
}

// removeMessenger takes the type from the path, or from the body.
func (a *API) removeMessenger(c *gin.Context) {
	in := struct {
		Type string `json:"type"`
	}{c.Param("messengerType")}
	id, err := pathID(c, "licenseId")
	if err == nil && in.Type == "" {
		err = body(c, &in)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	l, err := a.CRM.RemoveMessenger(c.Request.Context(), actor(c), id, in.Type)
	a.reply(c, l, err)
}

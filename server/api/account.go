package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// registerAccount adds the routes about the account of a line itself.
func (a *API) registerAccount(line gin.IRouter) {
	line.GET("/profile", on(a, pathLine, a.profile))
	line.PATCH("/profile", lineChange(a, a.CRM.ChangeProfile))
	line.PUT("/profile/picture", on(a, pathLine, a.setProfilePicture))
	line.DELETE("/profile/picture", on(a, pathLine, a.removeProfilePicture))
	line.GET("/privacy", on(a, pathLine, a.privacy))
	line.PATCH("/privacy", lineChange(a, a.CRM.ChangePrivacy))
	line.POST("/statuses", on(a, pathLine, a.postStatus))
	line.PUT("/presence", on(a, pathLine, a.setPresence))
	line.GET("/contacts/:contactId/profile", on(a, pathContact, a.contactProfile))
}

// lineChange serves a change of a line by the body. It answers with what is changed.
func lineChange[In, Out any](a *API, do func(context.Context, crm.Actor, crm.Line, In) (Out, error)) gin.HandlerFunc {
	return on(a, pathLine, func(c *gin.Context, line crm.Line) (any, error) {
		var in In
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return do(c.Request.Context(), actor(c), line, in)
	})
}

func (a *API) profile(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.Profile(c.Request.Context(), actor(c), line)
}

func (a *API) privacy(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.Privacy(c.Request.Context(), actor(c), line)
}

func (a *API) setPresence(c *gin.Context, line crm.Line) (any, error) {
	var in typeInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.SetPresence(c.Request.Context(), actor(c), line, in.Type)
}

func (a *API) setProfilePicture(c *gin.Context, line crm.Line) (any, error) {
	var in pictureInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.SetProfilePicture(c.Request.Context(), actor(c), line, in.Picture)
}

func (a *API) removeProfilePicture(c *gin.Context, line crm.Line) (any, error) {
	return nil, a.CRM.RemoveProfilePicture(c.Request.Context(), actor(c), line)
}

func (a *API) contactProfile(c *gin.Context, at crm.ContactAddress) (any, error) {
	return a.CRM.ContactProfile(c.Request.Context(), actor(c), at)
}

package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerQuickResponses(signedIn gin.IRouter) {
	registerNoun(a, signedIn, "/quickResponseLists", noun[crm.QuickListInput, crm.QuickListData]{
		list: ofCompany(a.CRM.QuickLists), get: a.CRM.QuickList,
		create: a.CRM.CreateQuickList, edit: a.CRM.EditQuickList, remove: a.CRM.DeleteQuickList,
	})
	list := signedIn.Group("/quickResponseLists/:id/quickResponses")
	list.GET("", a.withID("id", func(c *gin.Context, listID int64) (any, error) {
		return a.CRM.QuickResponses(c.Request.Context(), actor(c), listID, queryPage(c))
	}))
	list.POST("", a.withID("id", func(c *gin.Context, listID int64) (any, error) {
		var in crm.QuickResponseInput
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return a.CRM.CreateQuickResponse(c.Request.Context(), actor(c), listID, in)
	}))
	list.DELETE("", a.withID("id", a.deleteQuickResponses))
	list.GET("/:responseId", a.withIDs("id", "responseId", func(c *gin.Context, listID, id int64) (any, error) {
		return a.CRM.QuickResponse(c.Request.Context(), actor(c), listID, id)
	}))
	edit := a.withIDs("id", "responseId", func(c *gin.Context, listID, id int64) (any, error) {
		var in crm.QuickResponseInput
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return a.CRM.EditQuickResponse(c.Request.Context(), actor(c), listID, id, in)
	})
	list.PATCH("/:responseId", edit)
	list.PUT("/:responseId", edit)
	list.DELETE("/:responseId", a.withIDs("id", "responseId", func(c *gin.Context, listID, id int64) (any, error) {
		return crm.IDRef{ID: id}, a.CRM.DeleteQuickResponses(c.Request.Context(), actor(c), listID, []int64{id})
	}))
}

// deleteQuickResponses deletes the responses of {"ids":[...]} at once.
func (a *API) deleteQuickResponses(c *gin.Context, listID int64) (any, error) {
	var in struct {
		IDs []int64 `json:"ids"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	err := a.CRM.DeleteQuickResponses(c.Request.Context(), actor(c), listID, in.IDs)
	return gin.H{"ids": in.IDs}, err
}

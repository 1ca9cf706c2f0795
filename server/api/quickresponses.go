package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerQuickResponses(signedIn gin.IRouter) {
	registerNoun(a, signedIn, "/quickResponseLists", noun[crm.QuickListInput, crm.QuickListData]{
		list: func(c *gin.Context, who crm.Actor) (any, error) {
			company, err := queryID(c, "companyId")
			if err != nil {
				return nil, err
			}
			return a.CRM.QuickLists(c.Request.Context(), who, company, queryPage(c))
		},
		get: a.CRM.QuickList, create: a.CRM.CreateQuickList, edit: a.CRM.EditQuickList, remove: a.CRM.DeleteQuickList,
	})
	list := signedIn.Group("/quickResponseLists/:id/quickResponses")
	list.GET("", withID(a, func(c *gin.Context, listID int64) (any, error) {
		return a.CRM.QuickResponses(c.Request.Context(), actor(c), listID, queryPage(c))
	}))
	list.POST("", withID(a, func(c *gin.Context, listID int64) (any, error) {
		var in crm.QuickResponseInput
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return a.CRM.CreateQuickResponse(c.Request.Context(), actor(c), listID, in)
	}))
	list.DELETE("", withID(a, a.deleteQuickResponses))
	list.GET("/:responseId", a.inList(func(c *gin.Context, listID, id int64) (any, error) {
		return a.CRM.QuickResponse(c.Request.Context(), actor(c), listID, id)
	}))
	edit := func(c *gin.Context, listID, id int64) (any, error) {
		var in crm.QuickResponseInput
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return a.CRM.EditQuickResponse(c.Request.Context(), actor(c), listID, id, in)
	}
	list.PATCH("/:responseId", a.inList(edit))
	list.PUT("/:responseId", a.inList(edit))
	list.DELETE("/:responseId", a.inList(func(c *gin.Context, listID, id int64) (any, error) {
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

// inList serves a route of one response in a list.
func (a *API) inList(do func(c *gin.Context, listID, id int64) (any, error)) gin.HandlerFunc {
	return withID(a, func(c *gin.Context, listID int64) (any, error) {
		id, err := pathID(c, "responseId")
		if err != nil {
			return nil, err
		}
		return do(c, listID, id)
	})
}

package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerGroups(line gin.IRouter) {
	line.GET("/groups", on(a, pathLine, a.groups))
	line.POST("/groups", on(a, pathLine, a.createGroup))
	line.GET("/groups/join", on(a, pathLine, a.groupByLink))
	line.POST("/groups/join", on(a, pathLine, a.joinGroup))

	group := line.Group("/groups/:groupId")
	group.GET("", groupAnswer(a, a.CRM.Group))
	group.PATCH("", on(a, pathGroup, a.changeGroup))
	group.DELETE("", on(a, pathGroup, a.leaveGroup))
	group.POST("/members", a.groupMembers(crm.MembersAdd))
	group.DELETE("/members", a.groupMembers(crm.MembersRemove))
	group.POST("/admins", a.groupMembers(crm.MembersPromote))
	group.DELETE("/admins", a.groupMembers(crm.MembersDemote))
	group.GET("/link", groupAnswer(a, a.CRM.GroupLink))
	group.DELETE("/link", groupAnswer(a, a.CRM.RenewGroupLink))
	group.GET("/picture", groupAnswer(a, a.CRM.GroupPicture))
	group.PUT("/picture", on(a, pathGroup, a.setGroupPicture))
	group.DELETE("/picture", on(a, pathGroup, a.removeGroupPicture))
}

// pathGroup returns the group that the path names.
func pathGroup(c *gin.Context) (crm.ChatAddress, error) {
	line, err := pathLine(c)
	return crm.ChatAddress{Line: line, ChatID: c.Param("groupId")}, err
}

// groupAnswer serves a request about a group that has no body.
func groupAnswer[T any](a *API, do func(context.Context, crm.Actor, crm.ChatAddress) (*T, error)) gin.HandlerFunc {
	return on(a, pathGroup, func(c *gin.Context, at crm.ChatAddress) (any, error) {
		return do(c.Request.Context(), actor(c), at)
	})
}

func (a *API) groups(c *gin.Context, line crm.Line) (any, error) {
	members, err := queryBool(c, "members")
	if err != nil {
		return nil, err
	}
	return a.CRM.Groups(c.Request.Context(), actor(c), line, members != nil && *members)
}

func (a *API) groupByLink(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.GroupByLink(c.Request.Context(), actor(c), line, c.Query("link"))
}

// pictureInput is a picture as base64.
type pictureInput struct {
	Picture []byte `json:"picture"`
}

func (a *API) setGroupPicture(c *gin.Context, at crm.ChatAddress) (any, error) {
	var in pictureInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.SetGroupPicture(c.Request.Context(), actor(c), at, in.Picture)
}

func (a *API) removeGroupPicture(c *gin.Context, at crm.ChatAddress) (any, error) {
	return nil, a.CRM.RemoveGroupPicture(c.Request.Context(), actor(c), at)
}

func (a *API) createGroup(c *gin.Context, line crm.Line) (any, error) {
	var in crm.GroupInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.CreateGroup(c.Request.Context(), actor(c), line, in)
}

func (a *API) joinGroup(c *gin.Context, line crm.Line) (any, error) {
	var in crm.GroupLink
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.JoinGroup(c.Request.Context(), actor(c), line, in.Link)
}

func (a *API) changeGroup(c *gin.Context, at crm.ChatAddress) (any, error) {
	var in crm.GroupChanges
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.ChangeGroup(c.Request.Context(), actor(c), at, in)
}

// groupMembers serves a change of the members that the body names.
func (a *API) groupMembers(what crm.MemberChange) gin.HandlerFunc {
	return on(a, pathGroup, func(c *gin.Context, at crm.ChatAddress) (any, error) {
		var in struct {
			Members []string `json:"members"`
		}
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return a.CRM.ChangeMembers(c.Request.Context(), actor(c), at, what, in.Members)
	})
}

func (a *API) leaveGroup(c *gin.Context, at crm.ChatAddress) (any, error) {
	return nil, a.CRM.LeaveGroup(c.Request.Context(), actor(c), at)
}

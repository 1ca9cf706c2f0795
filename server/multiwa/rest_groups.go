package multiwa

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerGroups(keyed gin.IRouter) {
	g := keyed.Group("/groups")
	g.GET("/profile/:profileId", a.serve(http.StatusOK, a.groups))
	g.POST("", a.serve(http.StatusCreated, a.createGroup))
	g.GET("/:id", a.serve(http.StatusOK, a.group))
	g.PATCH("/:id", a.serve(http.StatusOK, a.changeGroup))
	g.POST("/:id/leave", a.serve(http.StatusCreated, a.leaveGroup))
	g.GET("/:id/invite-link", a.serve(http.StatusOK, a.inviteLink))
	g.POST("/:id/invite-link/revoke", a.serve(http.StatusCreated, a.revokeInviteLink))
	for _, what := range []crm.MemberChange{crm.MembersAdd, crm.MembersRemove, crm.MembersPromote, crm.MembersDemote} {
		g.POST("/:id/participants/"+string(what), a.serve(http.StatusCreated, a.changeParticipants(what)))
	}
}

// groupItem is a group, as lists show it.
type groupItem struct {
	ID                string  `json:"id"`
	Name              string  `json:"name"`
	Description       string  `json:"description"`
	Owner             *string `json:"owner"`
	CreatedAt         string  `json:"createdAt"`
	ParticipantsCount int     `json:"participantsCount"`
}

type groupWithMembers struct {
	groupItem
	Participants []participant `json:"participants"`
}

type participant struct {
	ID           string  `json:"id"`
	Phone        *string `json:"phone"`
	PushName     string  `json:"pushName"`
	IsAdmin      bool    `json:"isAdmin"`
	IsSuperAdmin bool    `json:"isSuperAdmin"`
}

func groupOf(of *crm.Instance, g *crm.Group) groupItem {
	item := groupItem{ID: g.ID, Name: g.Name, Description: g.Description, CreatedAt: isoSeconds(g.CreatedAt), ParticipantsCount: g.Size}
	if g.OwnerID != nil {
		item.Owner = optional(chatID(of.Line.Messenger, *g.OwnerID))
	}
	return item
}

func fullGroup(of *crm.Instance, g *crm.Group) groupWithMembers {
	full := groupWithMembers{groupOf(of, g), []participant{}}
	for _, m := range g.Members {
		full.Participants = append(full.Participants, participant{
			ID: personID(of.Line.Messenger, m.ID, m.Phone), Phone: m.Phone, PushName: m.Name,
			IsAdmin: m.Role != crm.MemberOrdinary, IsSuperAdmin: m.Role == crm.MemberOwner,
		})
	}
	return full
}

func (a *API) groups(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Param("profileId"))
	if err != nil {
		return nil, err
	}
	found, err := a.CRM.Groups(c.Request.Context(), actor(c), of.Line, false)
	if err != nil {
		return nil, err
	}
	list := []groupItem{}
	for i := range found {
		list = append(list, groupOf(of, &found[i]))
	}
	return list, nil
}

// groupRequest is a request about a group. The profile may be in the body or the query.
type groupRequest struct {
	ProfileID    string   `json:"profileId"`
	Name         *string  `json:"name"`
	Description  *string  `json:"description"`
	Participants []string `json:"participants"`
}

// groupAt finds the group that a request is about, and reads the body if it must have one.
func (a *API) groupAt(c *gin.Context, hasBody bool) (of *crm.Instance, at crm.ChatAddress, in groupRequest, err error) {
	if hasBody {
		if err = body(c, &in); err != nil {
			return nil, at, in, err
		}
	}
	if in.ProfileID == "" {
		in.ProfileID = c.Query("profileId")
	}
	if of, err = a.profile(c, in.ProfileID); err == nil {
		at, err = address(of.Line, "id", c.Param("id"))
	}
	return of, at, in, err
}

func (a *API) group(c *gin.Context) (any, error) {
	of, at, _, err := a.groupAt(c, false)
	if err != nil {
		return nil, err
	}
	g, err := a.CRM.Group(c.Request.Context(), actor(c), at)
	if err != nil {
		return nil, err
	}
	return fullGroup(of, g), nil
}

// createdGroup is a group that was made, and who could not be added to it.
type createdGroup struct {
	groupWithMembers
	Failed []failedMember `json:"failed,omitempty"`
}

type failedMember struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}

func failedOf(results []crm.MemberResult) (list []failedMember) {
	for _, r := range results {
		if r.Error != nil {
			list = append(list, failedMember{r.ID, r.Error.Message})
		}
	}
	return list
}

func (a *API) createGroup(c *gin.Context) (any, error) {
	var in groupRequest
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	group := crm.GroupInput{Members: in.Participants}
	if in.Name != nil {
		group.Name = *in.Name
	}
	if in.Description != nil {
		group.Description = *in.Description
	}
	made, err := a.CRM.CreateGroup(c.Request.Context(), actor(c), of.Line, group)
	if err != nil {
		return nil, err
	}
	return createdGroup{fullGroup(of, &made.Group), failedOf(made.Members)}, nil
}

func (a *API) changeGroup(c *gin.Context) (any, error) {
	of, at, in, err := a.groupAt(c, true)
	if err != nil {
		return nil, err
	}
	var ch crm.GroupChanges
	if in.Name != nil {
		ch.Name = crm.Field[string]{Set: true, Value: *in.Name}
	}
	if in.Description != nil {
		ch.Description = crm.Field[string]{Set: true, Value: *in.Description}
	}
	g, err := a.CRM.ChangeGroup(c.Request.Context(), actor(c), at, ch)
	if err != nil {
		return nil, err
	}
	return fullGroup(of, g), nil
}

// membersChanged is the answer to a change of participants, with those of whom it failed.
type membersChanged struct {
	Failed []failedMember `json:"failed,omitempty"`
}

func (a *API) changeParticipants(what crm.MemberChange) func(c *gin.Context) (any, error) {
	return func(c *gin.Context) (any, error) {
		_, at, in, err := a.groupAt(c, true)
		if err != nil {
			return nil, err
		}
		if len(in.Participants) == 0 {
			return nil, crm.Invalid("participants", "must be a list of numbers or ids")
		}
		results, err := a.CRM.ChangeMembers(c.Request.Context(), actor(c), at, what, in.Participants)
		return membersChanged{failedOf(results)}, err
	}
}

func (a *API) leaveGroup(c *gin.Context) (any, error) {
	_, at, _, err := a.groupAt(c, false)
	if err == nil {
		err = a.CRM.LeaveGroup(c.Request.Context(), actor(c), at)
	}
	return done{}, err
}

func (a *API) inviteLink(c *gin.Context) (any, error) {
	_, at, _, err := a.groupAt(c, false)
	if err != nil {
		return nil, err
	}
	return a.CRM.GroupLink(c.Request.Context(), actor(c), at)
}

func (a *API) revokeInviteLink(c *gin.Context) (any, error) {
	_, at, _, err := a.groupAt(c, false)
	if err != nil {
		return nil, err
	}
	return a.CRM.RenewGroupLink(c.Request.Context(), actor(c), at)
}

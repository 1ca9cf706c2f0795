package api

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// registerInvitations adds the routes of those who were invited to v1, and those of the
// companies' owners and admins to signedIn. Codes must not be cached. They are in the
// body, because proxies log paths; only one route has them in its path too.
func (a *API) registerInvitations(v1, signedIn gin.IRouter) {
	v1.POST("/invitations/open", noStore, a.serve(a.invitation))
	v1.POST("/invitations/accept", noStore, a.serve(a.acceptInvitation))
	v1.POST("/invitations/:code/accept", noStore, a.serve(a.acceptInvitation))

	signedIn.POST("/companies", noStore, a.serve(a.createCompany))
	company := signedIn.Group("/companies/:companyId/invitations")
	company.GET("", a.withID("companyId", a.invitations))
	company.DELETE("/:id", a.withIDs("companyId", "id", a.revokeInvitation))
}

func (a *API) invitation(c *gin.Context) (any, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	if in.Code == "" {
		return nil, crm.Invalid("code", "is required")
	}
	return a.CRM.Invitation(c.Request.Context(), server.ClientAddress(c), in.Code)
}

// acceptInvitation takes the token of a person who has an account, if they are signed
// in. With the code in the path they need no body.
func (a *API) acceptInvitation(c *gin.Context) (any, error) {
	raw, err := readAnyBody(c)
	if err != nil {
		return nil, err
	}
	var in crm.Acceptance
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := decode(raw, &in, ""); err != nil {
			return nil, err
		}
	}
	in.Code, in.AccessToken, in.Address = cmp.Or(c.Param("code"), in.Code), server.AccessToken(c.Request), server.ClientAddress(c)
	if in.Code == "" {
		return nil, crm.Invalid("code", "is required")
	}
	return a.CRM.AcceptInvitation(c.Request.Context(), in)
}

// createCompany refuses those who may not before it looks at their request.
func (a *API) createCompany(c *gin.Context) (any, error) {
	rules := a.CRM.Companies(actor(c))
	if err := rules.Allowed(c.Request.Context()); err != nil {
		return nil, err
	}
	var in crm.CompanyInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return rules.Create(c.Request.Context(), in)
}

func (a *API) invitations(c *gin.Context, companyID int64) (any, error) {
	return a.CRM.Invitations(c.Request.Context(), actor(c), companyID, queryPage(c))
}

func (a *API) revokeInvitation(c *gin.Context, companyID, id int64) (any, error) {
	return nil, a.CRM.RevokeInvitation(c.Request.Context(), actor(c), companyID, id)
}

func (a *API) invite(c *gin.Context, companyID int64) (any, error) {
	var in crm.Invitation
	if err := bodyWithoutPassword(c, &in, "the person chooses it when they accept the invitation"); err != nil {
		return nil, err
	}
	return a.CRM.Invite(c.Request.Context(), actor(c), companyID, in)
}

// bodyWithoutPassword is body for routes that took a password before. To ignore it, as
// other unknown fields, would leave the caller with a password that does not work.
func bodyWithoutPassword(c *gin.Context, dst any, why string) error {
	raw, err := readBody(c)
	if err != nil {
		return err
	}
	if err := decode(raw, dst, ""); err != nil {
		return err
	}
	var given struct {
		Password json.RawMessage `json:"password"`
	}
	if err := decode(raw, &given, ""); err != nil {
		return err
	}
	if len(given.Password) > 0 && string(given.Password) != "null" {
		return crm.Invalid("password", "cannot be given: %s", why)
	}
	return nil
}

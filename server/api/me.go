package api

import (
	"encoding/base64"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// registerMe adds the routes of one's own account. Those of enrolling are open to users
// who must set up a second factor first, and so is the change of a password that somebody
// else knows, which comes before.
func (a *API) registerMe(signedIn, enrolling gin.IRouter) {
	enrolling.GET("/me", a.serve(a.me))
	enrolling.POST("/me/totp", noStore, a.serve(a.enrolTOTP))
	enrolling.POST("/me/totp/confirm", noStore, a.serve(a.confirmTOTP))
	signedIn.DELETE("/me/totp", a.serve(a.removeTOTP))
	enrolling.PATCH("/me", a.serve(a.changeMe))
}

func (a *API) me(c *gin.Context) (any, error) {
	return a.CRM.Me(c.Request.Context(), actor(c))
}

func (a *API) changeMe(c *gin.Context) (any, error) {
	var ch crm.MyChanges
	if err := body(c, &ch); err != nil {
		return nil, err
	}
	return a.CRM.ChangeMe(c.Request.Context(), actor(c), server.AccessToken(c.Request), ch)
}

func (a *API) enrolTOTP(c *gin.Context) (any, error) {
	var in struct {
		CurrentPassword string `json:"currentPassword"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	made, err := a.CRM.EnrolTOTP(c.Request.Context(), actor(c), in.CurrentPassword)
	if err != nil {
		return nil, err
	}
	picture, err := crm.QRPicture(made.URI)
	if err != nil {
		return nil, err
	}
	return TOTPEnrolment{*made, "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)}, nil
}

// TOTPEnrolment is the answer of POST /v1/me/totp.
type TOTPEnrolment struct {
	crm.TOTPSecret
	Picture string `json:"picture"` // the URI as a QR code, a data: URL
}

type codeInput struct {
	Code string `json:"code"`
}

func (a *API) confirmTOTP(c *gin.Context) (any, error) {
	var in codeInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.ConfirmTOTP(c.Request.Context(), actor(c), server.AccessToken(c.Request), in.Code)
}

func (a *API) removeTOTP(c *gin.Context) (any, error) {
	var in codeInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.RemoveTOTP(c.Request.Context(), actor(c), in.Code)
}

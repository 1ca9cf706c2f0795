package api

import "github.com/gin-gonic/gin"

func (a *API) registerPassword(v1 gin.IRouter) {
	v1.POST("/password/reset", a.serve(a.resetPassword))
}

// resetPassword sets a password with a code that a person who runs the server has made.
func (a *API) resetPassword(c *gin.Context) (any, error) {
	var in struct {
		Code     string `json:"code"`
		Password string `json:"password"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.ResetPassword(c.Request.Context(), in.Code, in.Password)
}

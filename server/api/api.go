package api

import (
	"log/slog"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// API serves the CRM's routes.
type API struct {
	CRM *crm.Service
	Log *slog.Logger
}

// Register adds the routes to r. Each noun registers its own in its file.
func (a *API) Register(r gin.IRouter) {
	v1 := r.Group("/v1")
	signedIn := v1.Group("", a.authenticate)
	line := signedIn.Group("/licenses/:licenseId/messengers/:messengerType")
	_ = line
}

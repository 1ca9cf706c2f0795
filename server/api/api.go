package api

import (
	"log/slog"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// API serves the CRM's routes.
type API struct {
	CRM      *crm.Service
	Log      *slog.Logger
	Node     Node   // the server that GET /v1/server describes
	BasePath string // stands before the paths that clients use; requests come without it

	Streams  *EventStreams
	Refusals *refusals.Log // may be nil

	faults server.FaultLog
}

// Register adds the routes to r. Each noun registers its routes in its own file:
// routes of v1 are open to everybody, those of signedIn require the access token of a
// person, those of keyed that or the key of a program, and those of line, which belong to one
// messenger of one licence, too. So no route takes a key that is not meant to.
func (a *API) Register(r gin.IRouter) {
	v1 := r.Group("/v1", limitTime, noteClient)
	a.registerTokens(v1)
	a.registerPassword(v1)
	a.registerFiles(v1)

	signedIn := v1.Group("", a.authenticate)
	a.registerMe(signedIn, v1.Group("", a.authenticateToEnrol))
	a.registerCompanySecurity(signedIn)
	a.registerSessions(signedIn)
	a.registerEmployees(signedIn)
	a.registerInvitations(v1, signedIn)
	a.registerCatalogues(signedIn)
	a.registerQuickResponses(signedIn)
	a.registerServer(signedIn)
	a.registerApps(signedIn)
	a.registerAudit(signedIn)
	a.registerKeys(signedIn)

	keyed := v1.Group("", a.authenticateAny)
	a.registerLicenses(keyed)
	a.registerEvents(v1, signedIn, keyed)
	line := keyed.Group("/licenses/:licenseId/messengers/:messengerType")
	a.registerChats(keyed, line)
	a.registerMessages(line)
	a.registerLine(line)
	a.registerGroups(line)
	a.registerAccount(line)
	a.registerCallbacks(keyed, line)
}

// NoRoute answers requests for a path under /v1 that does not exist.
func (a *API) NoRoute(c *gin.Context) {
	a.fail(c, &crm.Error{Code: crm.CodeNotFound, Message: "there is no such route"})
}

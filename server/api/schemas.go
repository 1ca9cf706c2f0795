package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// RegisterSchemas adds GET /schemas/{event}.json to r: the JSON Schema of each
// event's data, open to everybody.
func (a *API) RegisterSchemas(r gin.IRouter) {
	r.GET("/schemas/:file", func(c *gin.Context) {
		event, isJSON := strings.CutSuffix(c.Param("file"), ".json")
		text, ok := crm.Schema(event)
		if !isJSON || !ok {
			a.fail(c, &crm.Error{Code: crm.CodeNotFound, Message: "there is no schema of this event"})
			return
		}
		c.Header("Cache-Control", "public, max-age=3600")
		c.Data(http.StatusOK, "application/schema+json; charset=utf-8", text)
	})
}

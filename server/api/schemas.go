package api

import (
	"bytes"
	_ "embed"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

var (
	//go:embed openapi.yaml
	openAPI []byte
	//go:embed asyncapi.yaml
	asyncAPI []byte
)

// OpenAPI returns the reference of every HTTP route of the program, in YAML.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// AsyncAPI returns the reference of the channels and events, in YAML.
func AsyncAPI() []byte { return slices.Clone(asyncAPI) }

// under returns the reference with the server that it names under a base path.
func under(basePath string, text []byte) []byte {
	text = bytes.Replace(text, []byte("\n  - {url: /,"), []byte("\n  - {url: "+basePath+"/,"), 1)
	return bytes.Replace(text, []byte("\n    pathname: /"), []byte("\n    pathname: "+basePath+"/"), 1)
}

// RegisterSchemas adds the references to r, open to everybody: GET /openapi.yaml,
// GET /asyncapi.yaml, and GET /schemas/{event}.json, the JSON Schema of each event's
// data.
func (a *API) RegisterSchemas(r gin.IRouter) {
	reference := func(contentType string, text []byte) gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Header("Cache-Control", "public, max-age=3600")
			c.Data(http.StatusOK, contentType, text)
		}
	}
	r.GET("/openapi.yaml", reference("application/yaml; charset=utf-8", under(a.BasePath, openAPI)))
	r.GET("/asyncapi.yaml", reference("application/yaml; charset=utf-8", under(a.BasePath, asyncAPI)))
	r.GET("/schemas/:file", func(c *gin.Context) {
		event, isJSON := strings.CutSuffix(c.Param("file"), ".json")
		text, ok := crm.Schema(event)
		if !isJSON || !ok {
			a.fail(c, &crm.Error{Code: crm.CodeNotFound, Message: "there is no schema of this event"})
			return
		}
		reference("application/schema+json; charset=utf-8", text)(c)
	})
}

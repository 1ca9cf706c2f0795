package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

var (
	//go:embed openapi.yaml
	openAPI []byte
	//go:embed asyncapi.yaml
	asyncAPI []byte
)

// OpenAPI returns the reference of the program's HTTP routes, in YAML. The pages and
// files for browsers are not in it.
func OpenAPI() []byte { return slices.Clone(openAPI) }

var schemaRef = regexp.MustCompile(`\{\$ref: "/schemas/(\w+)\.json"\}`)

// AsyncAPI returns the reference of the channels and events, in YAML. The schemas of the
// events, which asyncapi.yaml refers to, are in it, so that the file can be read alone.
var AsyncAPI = sync.OnceValue(func() []byte {
	return schemaRef.ReplaceAllFunc(asyncAPI, func(ref []byte) []byte {
		event := string(schemaRef.FindSubmatch(ref)[1])
		text, ok := crm.Schema(event)
		if !ok {
			return ref // the tests see that it leads nowhere
		}
		text = bytes.ReplaceAll(text, []byte(`"#/$defs/`), []byte(`"#/components/messages/`+event+`/payload/schema/$defs/`))
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "        ", "  "); err != nil {
			return ref
		}
		return bytes.TrimSpace(indented.Bytes())
	})
})

// under returns the reference with the server that it names under a base path.
func under(basePath string, text []byte) []byte {
	text = bytes.Replace(text, []byte("\n  - {url: /,"), []byte("\n  - {url: "+basePath+"/,"), 1)
	return bytes.Replace(text, []byte("\n    pathname: /"), []byte("\n    pathname: "+basePath+"/"), 1)
}

// RegisterSchemas adds the references to r, open to everybody: GET /openapi.yaml, and the
// same as /openapi.json and, in OpenAPI 3.0, as /openapi-3.0.json; GET /asyncapi.yaml; and
// GET /schemas/{event}.json, the JSON Schema of each event's data.
func (a *API) RegisterSchemas(r gin.IRouter) {
	const inYAML, object = "application/yaml; charset=utf-8", "application/json; charset=utf-8"
	paths := under(a.BasePath, openAPI)
	r.GET("/openapi.yaml", a.reference(inYAML, func() ([]byte, error) { return paths, nil }))
	r.GET("/openapi.json", a.reference(object, func() ([]byte, error) { return OpenAPIJSON(paths) }))
	r.GET("/openapi-3.0.json", a.reference(object, func() ([]byte, error) { return OpenAPI30(paths) }))
	r.GET("/asyncapi.yaml", a.reference(inYAML, func() ([]byte, error) { return under(a.BasePath, AsyncAPI()), nil }))
	r.GET("/schemas/:file", func(c *gin.Context) {
		event, isJSON := strings.CutSuffix(c.Param("file"), ".json")
		text, ok := crm.Schema(event)
		if !isJSON || !ok {
			a.fail(c, &crm.Error{Code: crm.CodeNotFound, Message: "there is no schema of this event"})
			return
		}
		a.reference("application/schema+json; charset=utf-8", func() ([]byte, error) { return text, nil })(c)
	})
}

// reference serves a file that is made at its first request.
func (a *API) reference(contentType string, makeOnce func() ([]byte, error)) gin.HandlerFunc {
	get := sync.OnceValues(makeOnce)
	return func(c *gin.Context) {
		text, err := get()
		if err != nil { // unreachable: the input is embedded, and the tests make it
			a.fail(c, fmt.Errorf("making %s: %w", c.FullPath(), err))
			return
		}
		c.Header("Cache-Control", "public, max-age=3600")
		c.Data(http.StatusOK, contentType, text)
	}
}

package evolution

import (
	_ "embed" // the reference
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// clientName is the name of this server in answers.
const clientName = "chatcast"

type greeting struct {
	Status        int    `json:"status"`
	Message       string `json:"message"`
	Version       string `json:"version"`
	ClientName    string `json:"clientName"`
	Manager       string `json:"manager"`
	Documentation string `json:"documentation"`
}

// welcome tells client libraries that Evolution API is here.
func (e *Evolution) welcome(c *gin.Context) {
	writeJSON(c, http.StatusOK, greeting{
		Status: http.StatusOK, Message: "Welcome to the Evolution API, it is working!", Version: version, ClientName: clientName,
		Manager: e.PublicURL + "/", Documentation: e.PublicURL + "/openapi/evolution.yaml",
	})
}

// Welcome greets a client that asks for the page at / and does not want HTML, and reports whether
// it did. Browsers get the page.
func (e *Evolution) Welcome(c *gin.Context) bool {
	accept := c.GetHeader("Accept")
	if c.Request.URL.Path != "/" || accept == "" || strings.Contains(accept, "text/html") || c.Request.Method != http.MethodGet {
		return false
	}
	e.welcome(c)
	return true
}

func welcomeRoutes() []route {
	return []route{{methods: "POST", path: "/verify-creds", company: true, do: verifyCreds}}
}

// verifyCreds answers managers that check their key.
func verifyCreds(*request) (answer, error) {
	return ok(struct {
		Status  int    `json:"status"`
		Message string `json:"message"`
	}{http.StatusOK, "Credentials are valid"}), nil
}

//go:embed openapi.yaml
var reference []byte

// Reference returns the OpenAPI document of the dialect.
func Reference() []byte { return reference }

func serveReference(c *gin.Context) {
	c.Data(http.StatusOK, "application/yaml; charset=utf-8", reference)
}

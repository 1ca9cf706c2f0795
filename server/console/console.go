package console

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Console serves the console and the facts that it needs before anybody signs in. The
// ids are those of the first company, for the page that replaces a missing console.
type Console struct {
	Build     *Build
	NotFound  gin.HandlerFunc // answers requests for files that do not exist
	Version   string
	Commit    string
	AppKey    string
	PublicURL string // the server's public URL; empty: that of the request
	BasePath  string // stands before the paths that browsers use; requests come without it

	AppID      string
	CompanyID  int
	UserID     int
	LicenseID  int
	Messengers []string // of the licence
}

// About is the answer of /console.json. When it changes, the open page belongs to
// another version of the program and says so.
type About struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	Build     string `json:"build"` // of the console's files; empty: there is none
	Key       string `json:"key"`   // of the app that carries the CRM's channels
	PublicURL string `json:"publicUrl"`
}

// Register adds the routes of the console to r.
func (c *Console) Register(r gin.IRouter) {
	both := func(path string, handler gin.HandlerFunc) {
		r.GET(path, handler)
		r.HEAD(path, handler)
	}
	both("/", c.index)
	both("/try", c.try)
	both("/assets/:file", c.folder("assets/"))
	both("/lib/:file", c.folder("lib/"))
	both("/licenses.txt", func(g *gin.Context) { c.serve(g, "licenses.txt") })
	both("/passkey-extension.zip", c.extension)
	r.GET("/console.json", c.about)
}

func (c *Console) index(g *gin.Context) {
	if !c.Build.Built() {
		c.landing(g)
		return
	}
	protect(g.Writer.Header(), common+appScripts+sources(g.Request.Host, c.PublicURL))
	c.serve(g, "index.html")
}

func (c *Console) try(g *gin.Context) {
	protect(g.Writer.Header(), common+tryScripts+sources(g.Request.Host, c.PublicURL))
	c.serve(g, "try.html")
}

func (c *Console) folder(name string) gin.HandlerFunc {
	return func(g *gin.Context) { c.serve(g, name+g.Param("file")) }
}

// serve looks the file up in a map of exact names, so no path leads elsewhere.
func (c *Console) serve(g *gin.Context, name string) {
	if f := c.Build.files[name]; f != nil {
		f.serve(g)
		return
	}
	c.NotFound(g)
}

func (c *Console) about(g *gin.Context) {
	g.Header("Cache-Control", "no-store")
	g.JSON(http.StatusOK, About{
		Version: c.Version, Commit: c.Commit, Build: c.Build.Hash(), Key: c.AppKey, PublicURL: c.PublicURL,
	})
}

package multiwa

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// NotFound answers a request for a path of this API that there is not, and reports whether
// the path was one. A path with a slash at its end is served as the one without.
func (a *API) NotFound(c *gin.Context, router *gin.Engine) bool {
	path := c.Request.URL.Path
	if path != "/api" && !strings.HasPrefix(path, "/api/") {
		return false
	}
	c.Writer.Header().Del("Allow")
	shorter, slash := strings.CutSuffix(path, "/")
	if slash && !strings.HasSuffix(shorter, "/") && a.hasRoute(router, c.Request.Method, shorter) {
		u := *c.Request.URL
		u.Path, u.RawPath = shorter, strings.TrimSuffix(u.RawPath, "/")
		c.Request.URL = &u
		c.Status(http.StatusOK)
		router.HandleContext(c)
		return true
	}
	a.fail(c, &crm.Error{Code: crm.CodeNotFound, Message: "Cannot " + server.Method(c.Request) + " " + shortened(path)})
	return true
}

// hasRoute reports whether a route of this API has the path.
func (a *API) hasRoute(router *gin.Engine, method, path string) bool {
	a.once.Do(func() {
		for _, r := range router.Routes() {
			if strings.HasPrefix(r.Path, "/api/") {
				a.routes = append(a.routes, r.Method+r.Path)
			}
		}
	})
	if method == http.MethodHead {
		method = http.MethodGet
	}
	parts := strings.Split(method+path, "/")
	for _, route := range a.routes {
		if fits(strings.Split(route, "/"), parts) {
			return true
		}
	}
	return false
}

// fits reports whether a path has the form of a route.
func fits(route, path []string) bool {
	if len(route) != len(path) {
		return false
	}
	for i, part := range route {
		if part != path[i] && (part == "" || part[0] != ':' || path[i] == "") {
			return false
		}
	}
	return true
}

package evolution

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// version is the version of Evolution API that this dialect follows.
const version = "2.3.7"

// Prefix is where l2msg has the same routes.
const Prefix = "/whatsapp"

// Evolution serves the dialect.
type Evolution struct {
	CRM       *crm.Service
	Log       *slog.Logger
	PublicURL string        // of this server, without a slash at its end
	Refusals  *refusals.Log // may be nil
	// ExposeTokens shows the keys of instances in fetchInstances, as far as they are kept.
	ExposeTokens bool
	Bodies       *server.Bodies // nil: its own
	// PrivateLinks lets pictures and status posts be fetched from addresses that are not of the
	// public internet.
	PrivateLinks bool

	faults server.FaultLog
	once   sync.Once
	groups map[string]bool // the first parts of the dialect's paths
	links  *http.Client    // see fetch
	counts countCache
}

// Register adds the routes to r, at the root and under /whatsapp. It must be called once.
func (e *Evolution) Register(r gin.IRouter) {
	e.init()
	for _, rt := range allRoutes() {
		for _, base := range []string{"", Prefix} {
			for method := range strings.FieldsSeq(rt.methods) {
				handlers := []gin.HandlerFunc{}
				if method == http.MethodGet && rt.changes {
					handlers = append(handlers, server.RefuseHead)
				}
				r.Handle(method, base+rt.path, append(handlers, e.serve(rt))...)
			}
		}
	}
	r.GET(Prefix, e.welcome)
	r.GET("/openapi/evolution.yaml", serveReference)
}

func (e *Evolution) init() {
	e.once.Do(func() {
		e.links = newLinkClient(e.PrivateLinks)
		e.counts.turns = make(chan struct{}, maxAtOnce)
		if e.Bodies == nil {
			e.Bodies = server.NewBodies()
		}
		e.groups = map[string]bool{}
		for _, rt := range allRoutes() {
			first, _, _ := strings.Cut(rt.path[1:], "/")
			e.groups[first] = true
		}
	})
}

// NotFound answers a request that no route has, if its path is of this dialect, and reports
// whether it did. A path with a slash at its end is served as the one without.
func (e *Evolution) NotFound(c *gin.Context, router *gin.Engine) bool {
	e.init()
	path := c.Request.URL.Path
	rest, under := strings.CutPrefix(path, Prefix)
	if under && rest != "" && rest[0] != '/' {
		return false // "/whatsapps"
	}
	first, below, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/") // "//message" is asked of this dialect, too
	if !under && !e.groups[first] {
		return false
	}
	if rest == "/" {
		e.welcome(c)
		return true
	}
	if shorter, slash := strings.CutSuffix(path, "/"); slash && !strings.HasSuffix(shorter, "/") && hasRoute(c.Request.Method, shorter) {
		u := *c.Request.URL
		u.Path, u.RawPath = shorter, ""
		c.Request.URL = &u
		c.Status(http.StatusOK)
		c.Writer.Header().Del("Allow")
		router.HandleContext(c)
		return true
	}
	c.Writer.Header().Del("Allow")
	if below != "" && (slices.Contains(notHere, first) || slices.Contains(integrations, first)) {
		e.fail(c, notOffered(first))
		return true
	}
	e.fail(c, &refusal{status: http.StatusNotFound, message: []string{"Cannot " + server.Method(c.Request) + " " + clip(path)}})
	return true
}

// Serves reports whether a path is one of the dialect's, of whatever method.
func Serves(path string) bool {
	path = strings.TrimSuffix(strings.TrimPrefix(path, Prefix), "/")
	for _, rt := range allRoutes() {
		if fits(rt.path, path) {
			return true
		}
	}
	return false
}

// hasRoute reports whether a route of this dialect has the path.
func hasRoute(method, path string) bool {
	path = strings.TrimPrefix(path, Prefix)
	for _, rt := range allRoutes() {
		if strings.Contains(" "+rt.methods+" ", " "+method+" ") && fits(rt.path, path) {
			return true
		}
	}
	return false
}

// fits reports whether a path is one of a route's.
func fits(route, path string) bool {
	a, b := strings.Split(route, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (b[i] == "" || !strings.HasPrefix(a[i], ":")) {
			return false
		}
	}
	return true
}

// clip returns the beginning of a text that is repeated in an answer.
func clip(text string) string {
	const most = 150
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

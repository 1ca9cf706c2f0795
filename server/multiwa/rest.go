package multiwa

import (
	"bytes"
	"context"
	_ "embed" // the reference
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// API serves the REST routes, under /api/v1 and under /api.
type API struct {
	CRM      *crm.Service
	Lines    Lines
	Log      *slog.Logger
	Refusals *refusals.Log  // may be nil
	Bodies   *server.Bodies // nil: its own

	faults server.FaultLog
	routes []string // methods and paths, for NotFound
	once   sync.Once
}

const (
	maxBody = 1 << 20 // bytes of a JSON body without a file
	// maxFileBody is that of one with a file as base64, which is held in memory. Larger
	// files can be sent by their address.
	maxFileBody = 32 << 20
	requestTime = time.Minute
	fileTime    = 10 * time.Minute // of a request with a file in its body
	actorKey    = "multiwa.actor"
	keyKey      = "multiwa.key"
)

// prefixes are where the routes are. The reference has the first.
var prefixes = [...]string{"/api/v1", "/api"}

//go:embed openapi.yaml
var reference []byte

// Reference returns the reference of this dialect, in the form of OpenAPI 3.1.
func Reference() []byte { return slices.Clone(reference) }

// Documented returns the path under which the reference has a path of this dialect.
func Documented(path string) string {
	if strings.HasPrefix(path, prefixes[1]+"/") {
		path = strings.TrimSuffix(path, "/") // see NotFound
	}
	rest, ok := strings.CutPrefix(path, prefixes[1]+"/")
	if !ok || strings.HasPrefix(path, prefixes[0]+"/") {
		return path
	}
	return prefixes[0] + "/" + rest
}

// Register adds the routes to r. Each noun registers its routes in its own file.
func (a *API) Register(r gin.IRouter) {
	if a.Bodies == nil {
		a.Bodies = server.NewBodies()
	}
	r.GET("/openapi/multiwa.yaml", server.NewStatic("application/yaml; charset=utf-8", reference, true).Serve)
	for _, prefix := range prefixes {
		open := r.Group(prefix)
		open.GET("/health", func(c *gin.Context) { answer(c, http.StatusOK, map[string]string{"status": "ok"}) })
		keyed := open.Group("", a.authenticate)
		a.registerMessages(keyed)
		a.registerLists(keyed)
		a.registerProfiles(keyed)
		a.registerGroups(keyed)
		a.registerWebhooks(keyed)
	}
}

// authenticate requires a valid key, in x-api-key or as Bearer. It bounds the time of the request
// and notes where it comes from, for the audit log.
func (a *API) authenticate(c *gin.Context) {
	c.Header("Cache-Control", "no-store") // caches know Authorization, and not x-api-key
	within, slow := slowPaths[c.FullPath()]
	if !slow {
		within = requestTime
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), within)
	defer cancel()
	c.Request = c.Request.WithContext(crm.WithClient(ctx, crm.Client{Address: server.ClientAddress(c), UserAgent: c.Request.UserAgent()}))
	actor, key, err := a.CRM.AuthenticateKey(c.Request.Context(), keyInHeader(c))
	if err != nil {
		if isKeyError(err) {
			reason := refusals.BadToken
			if keyInHeader(c) == "" {
				reason = refusals.NoToken
			}
			a.Refusals.Add(c.Request.Context(), refusals.AccessToken, reason, "route", c.FullPath(), "address", server.ClientAddress(c))
			err = &crm.Error{Code: crm.CodeBadToken, Message: "Invalid API key"}
		}
		a.fail(c, err)
		return
	}
	c.Set(actorKey, actor)
	c.Set(keyKey, key)
	c.Next() // within the time
}

func actor(c *gin.Context) crm.Actor  { return c.MustGet(actorKey).(crm.Actor) }
func key(c *gin.Context) *crm.KeyData { return c.MustGet(keyKey).(*crm.KeyData) }

// statuses maps the codes of the rules to HTTP statuses and the codes of this dialect.
var statuses = map[crm.Code]struct {
	status int
	code   string
}{
	crm.CodeInvalid:     {http.StatusBadRequest, "VALIDATION_ERROR"},
	crm.CodeNoToken:     {http.StatusUnauthorized, "UNAUTHORIZED"},
	crm.CodeBadToken:    {http.StatusUnauthorized, "UNAUTHORIZED"},
	crm.CodeDenied:      {http.StatusForbidden, "FORBIDDEN"},
	crm.CodeNotFound:    {http.StatusNotFound, "NOT_FOUND"},
	crm.CodeConflict:    {http.StatusConflict, "CONFLICT"},
	crm.CodeTooLarge:    {http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE"},
	crm.CodeThrottled:   {http.StatusTooManyRequests, "RATE_LIMITED"},
	crm.CodeUnavailable: {http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE"},
}

// failed is the body of an answer that reports an error: what the documentation of MultiWA
// shows and what its program answers, together.
type failed struct {
	Success    bool      `json:"success"`
	StatusCode int       `json:"statusCode"`
	Message    string    `json:"message"`
	Error      errorBody `json:"error"`
}

// limited is the body of an answer to a message over the limit of the profile's day. Its error
// is a word, as clients expect it there.
type limited struct {
	Success    bool   `json:"success"`
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
	Error      string `json:"error"`
	Limit      int64  `json:"limit"`
	Count      int64  `json:"count"`
	ResetAt    string `json:"resetAt"`
}

// ownWords are fields of the rules under the names that they have in all routes.
var ownWords = map[string]string{"contactId": "id", "groupId": "id", "members": "participants"}

// fail answers with err. An error that is not of crm is "internal", and logged.
func (a *API) fail(c *gin.Context, err error) {
	err = inWords(err, ownWords)
	var e *crm.Error
	ctx := c.Request.Context()
	if !errors.As(err, &e) && !errors.As(context.Cause(ctx), &e) {
		if server.ClientGone(ctx) {
			c.AbortWithStatus(server.StatusClientGone)
			return
		}
		var trouble string
		if e, trouble = crm.TroubleError(err); e != nil {
			a.faults.Error(ctx, a.Log, "the database is in trouble", "trouble", trouble, "error", err)
		} else if errors.Is(err, context.DeadlineExceeded) {
			e = &crm.Error{Code: crm.CodeUnavailable, Message: "The request took too long", RetryAfter: 5}
		}
	}
	if e == nil {
		a.Log.ErrorContext(ctx, "request failed", "method", c.Request.Method, "route", c.FullPath(), "error", err)
		writeJSON(c, http.StatusInternalServerError, failed{
			StatusCode: http.StatusInternalServerError, Message: errorInternal, Error: errorBody{"INTERNAL_ERROR", errorInternal},
		})
		return
	}
	to := statuses[e.Code]
	if e.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	if q := e.Quota; q != nil {
		writeJSON(c, to.status, limited{StatusCode: to.status, Message: e.Message, Error: "DAILY_LIMIT_REACHED", Limit: q.Limit, Count: q.Count, ResetAt: q.ResetAt.UTC().Format(time.RFC3339)})
		return
	}
	writeJSON(c, to.status, failed{StatusCode: to.status, Message: e.Message, Error: errorBody{to.code, e.Message}})
}

// done is an answer that has nothing to tell.
type done struct{}

// serve makes a handler of do, which returns the status and the data of the answer.
func (a *API) serve(status int, do func(c *gin.Context) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		data, err := do(c)
		if err != nil {
			a.fail(c, err)
			return
		}
		answer(c, status, data)
	}
}

// answer answers with data. The members of an object stand in the answer itself, as the
// program of MultiWA answers, and once more in data, as its documentation shows. A list is
// the answer.
func answer(c *gin.Context, status int, data any) {
	text, err := encode(data)
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	if text[0] == '{' {
		text = union(text)
	}
	server.WriteJSON(c, status, text)
}

// union puts the members of an object into an answer, twice.
func union(object []byte) []byte {
	members := object[1 : len(object)-1]
	if len(members) == 0 {
		return []byte(`{"success":true}`)
	}
	return bytes.Join([][]byte{[]byte(`{"success":true,`), members, []byte(`,"data":`), object, []byte("}")}, nil)
}

// profile finds the profile with an id. Without one it is that of a key that has only one.
func (a *API) profile(c *gin.Context, id string) (*crm.Instance, error) {
	ctx, of := c.Request.Context(), key(c)
	switch {
	case id != "":
		found, err := a.CRM.InstanceByID(ctx, actor(c), canonical(id))
		return found, noProfile(err)
	case of.LicenseID != 0:
		found, err := a.CRM.InstanceOf(ctx, actor(c), onlyLine(of))
		return found, noProfile(err)
	}
	return nil, crm.Invalid("profileId", "is required")
}

// noProfile says of an instance that is not found that there is no such profile.
func noProfile(err error) error {
	var e *crm.Error
	if errors.As(err, &e) && e.Code == crm.CodeNotFound {
		return &crm.Error{Code: crm.CodeNotFound, Message: errorNotFound}
	}
	return err
}

// number returns a number of the query within bounds; absent, it is d.
func number(c *gin.Context, name string, d, low, high int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return d, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, crm.Invalid(name, "must be from %d to %d", low, high)
	}
	return n, nil
}

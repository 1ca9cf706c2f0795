package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

const (
	maxBody = 1 << 20 // bytes of a JSON body
	// maxOpenBody is maxBody for requests without a person who is signed in. What
	// strangers may make the server hold, while they send it slowly, must be small.
	maxOpenBody = 16 << 10
	actorKey    = "actor"
)

// authenticate requires the valid access token of a person, given raw or as Bearer.
func (a *API) authenticate(c *gin.Context) {
	a.authenticateAny(c)
	if !c.IsAborted() && actor(c).KeyID != 0 {
		a.refuseToken(c, crm.ErrForPeople)
	}
}

// authenticateAny requires a valid access token or a key, given raw or as Bearer.
func (a *API) authenticateAny(c *gin.Context) {
	actor, err := a.CRM.Authenticate(c.Request.Context(), server.AccessToken(c.Request))
	if err != nil {
		a.refuseToken(c, err)
		return
	}
	c.Set(actorKey, actor)
}

// authenticateToEnrol is authenticate for users who must set up a second factor first too.
func (a *API) authenticateToEnrol(c *gin.Context) {
	actor, _, err := a.CRM.AuthenticateToEnrol(c.Request.Context(), server.AccessToken(c.Request))
	if err != nil {
		a.refuseToken(c, err)
		return
	}
	c.Set(actorKey, actor)
}

// refuseToken counts, logs and answers the refusal of an access token.
func (a *API) refuseToken(c *gin.Context, err error) {
	var e *crm.Error
	if errors.As(err, &e) {
		reason := map[crm.Code]refusals.Reason{
			crm.CodeNoToken: refusals.NoToken, crm.CodeBadToken: refusals.BadToken, crm.CodeDenied: refusals.MustEnrol,
		}[e.Code]
		if e == crm.ErrForPeople {
			reason = refusals.Denied
		}
		a.Refusals.Add(c.Request.Context(), refusals.AccessToken, reason, "route", c.FullPath(), "address", server.ClientAddress(c))
	}
	a.fail(c, err)
}

func actor(c *gin.Context) crm.Actor { return c.MustGet(actorKey).(crm.Actor) }

// body decodes the JSON body into dst. Unknown fields are ignored; a wrong type
// is an error that names the field.
func body(c *gin.Context, dst any) error {
	raw, err := readBody(c)
	if err != nil {
		return err
	}
	return decode(raw, dst, "")
}

// readBody reads the whole body, which must not be empty.
func readBody(c *gin.Context) ([]byte, error) {
	raw, err := readAnyBody(c)
	if err == nil && len(bytes.TrimSpace(raw)) == 0 {
		return nil, crm.Invalid("body", "must be JSON, but is empty")
	}
	return raw, err
}

// readAnyBody reads the whole body, which must be UTF-8: the JSON decoder would replace
// invalid bytes by U+FFFD, and so change what the client sent.
func readAnyBody(c *gin.Context) ([]byte, error) {
	limit := int64(maxBody)
	if _, signedIn := c.Get(actorKey); !signedIn {
		limit = maxOpenBody
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &crm.Error{Code: crm.CodeTooLarge, Message: fmt.Sprintf("the body is over %d bytes", tooLarge.Limit)}
	case err != nil:
		return nil, crm.Invalid("body", "could not be read whole")
	case !utf8.Valid(raw):
		return nil, crm.Invalid("body", "must be valid UTF-8")
	}
	return raw, nil
}

// decode is json.Unmarshal with errors in our words. path is the place of raw in the
// body, such as "messages[3]"; it is empty if raw is the whole body. A body must not have
// a field twice: who looked at it before us may have seen the other value.
func decode(raw []byte, dst any, path string) error {
	err := json.Unmarshal(raw, dst)
	if err == nil {
		if path == "" {
			return once(server.RepeatedName(raw, server.AllObjects))
		}
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return crm.Invalid(cmp.Or(path, "body"), "must be JSON: %v", err)
	}
	field := strings.Trim(path+"."+wrong.Field, ".")
	return crm.Invalid(cmp.Or(field, "body"), "must be %s, not %s", jsonName(wrong.Type.Kind().String()), wrong.Value)
}

// once returns an error about a field that is given twice; "" is none.
func once(twice string) error {
	if twice == "" {
		return nil
	}
	return crm.Invalid(twice, "is given twice")
}

// jsonName returns JSON's name of a Go kind.
func jsonName(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "an integer"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "bool":
		return "a boolean"
	case kind == "slice" || kind == "array":
		return "an array"
	case kind == "struct" || kind == "map":
		return "an object"
	}
	return "a " + kind
}

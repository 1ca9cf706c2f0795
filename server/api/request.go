package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

const (
	maxBody  = 1 << 20 // bytes of a JSON body
	actorKey = "actor"
)

// authenticate lets only holders of a valid access token through, raw or as
// Bearer.
func (a *API) authenticate(c *gin.Context) {
	actor, err := a.CRM.Authenticate(c.Request.Context(), accessToken(c.Request))
	if err != nil {
		a.fail(c, err)
		return
	}
	c.Set(actorKey, actor)
}

// accessToken is the Authorization header without "Bearer ".
func accessToken(r *http.Request) string {
	h := r.Header.Get("Authorization")
	if len(h) > 7 && strings.EqualFold(h[:7], "bearer ") {
		h = h[7:]
	}
	return strings.TrimSpace(h)
}

func actor(c *gin.Context) crm.Actor { return c.MustGet(actorKey).(crm.Actor) }

// body decodes the JSON body into dst. Unknown fields are ignored; a wrong type
// is an error that names the field.
func body(c *gin.Context, dst any) error {
	dec := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	err := dec.Decode(dst)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			return crm.Invalid("body", "must be one JSON value")
		}
		return nil
	}
	var tooLarge *http.MaxBytesError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		return &crm.Error{Code: crm.CodeTooLarge, Message: fmt.Sprintf("the body is over %d bytes", tooLarge.Limit)}
	case errors.As(err, &wrong) && wrong.Field != "":
		return crm.Invalid(wrong.Field, "must be %s, not %s", jsonName(wrong.Type.Kind().String()), wrong.Value)
	case errors.Is(err, io.EOF):
		return crm.Invalid("body", "must be JSON, but is empty")
	}
	return crm.Invalid("body", "must be JSON: %v", err)
}

// jsonName is JSON's word for a Go kind.
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

// pathID is a numeric path parameter. What is no id names nothing: not found.
func pathID(c *gin.Context, name string) (int64, error) {
	id, err := strconv.ParseInt(c.Param(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, &crm.Error{Code: crm.CodeNotFound, Message: "not found"}
	}
	return id, nil
}

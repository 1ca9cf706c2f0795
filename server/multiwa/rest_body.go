package multiwa

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// maxValues is how many values a body with a file may have: it has few.
const maxValues = 1000

// body decodes a JSON body into dst. Unknown fields are ignored; a wrong type is an error
// that names the field.
func body(c *gin.Context, dst any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge(maxBody)
	case err != nil:
		return crm.Invalid("body", "could not be read whole")
	}
	return decode(raw, dst)
}

// fileBody is body for one with a file in it. The caller calls release when dst is no longer used,
// also after an error.
func (a *API) fileBody(c *gin.Context, dst any) (release func(), err error) {
	raw, release, err := a.Bodies.Read(c.Writer, c.Request, key(c).CompanyID, maxFileBody)
	switch {
	case errors.Is(err, server.ErrTooLarge):
		err = tooLarge(maxFileBody)
	case errors.Is(err, server.ErrBodyMemory):
		err = &crm.Error{Code: crm.CodeUnavailable, Message: "too many large bodies at once: send files by their address", RetryAfter: 10}
	case errors.Is(err, server.ErrSlowBody):
		err = crm.Invalid("body", "came too slowly: send large files by their address")
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		err = crm.Invalid("body", "could not be read whole")
	case err == nil && server.JSONValues(raw) > maxValues:
		err = crm.Invalid("body", "must have at most %d values", maxValues)
	case err == nil:
		err = decode(raw, dst)
	}
	return release, err
}

func tooLarge(limit int64) error {
	return &crm.Error{Code: crm.CodeTooLarge, Message: fmt.Sprintf("the body is over %d bytes", limit)}
}

// decode decodes the bytes of a body.
func decode(raw []byte, dst any) error {
	switch {
	case !utf8.Valid(raw):
		return crm.Invalid("body", "must be valid UTF-8")
	case len(bytes.TrimSpace(raw)) == 0:
		return crm.Invalid("body", "must be JSON, but is empty")
	}
	err := json.Unmarshal(raw, dst)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return crm.Invalid(strings.TrimPrefix(wrong.Field, "target."), "must not be %s", wrong.Value) // an embedded struct has its name in it
	case err != nil:
		return crm.Invalid("body", "must be a JSON object")
	}
	if twice := server.RepeatedName(raw, server.AllObjects); twice != "" {
		return crm.Invalid(twice, "is given twice")
	}
	return nil
}

// fieldOf returns the field that an error of the rules is about; empty: it is about none, or
// several.
func fieldOf(err error) string {
	var e *crm.Error
	if errors.As(err, &e) && e.Code == crm.CodeInvalid && len(e.Fields) == 1 {
		for field := range e.Fields {
			return field
		}
	}
	return ""
}

// inWords returns an error of the rules about a field, or an item of a list, with the name that
// the field has here.
func inWords(err error, words map[string]string) error {
	var e *crm.Error
	field := fieldOf(err)
	list, _, _ := strings.Cut(field, "[")
	if name := words[list]; name != "" && errors.As(err, &e) {
		return crm.Invalid(name+field[len(list):], "%s", e.Fields[field])
	}
	return err
}

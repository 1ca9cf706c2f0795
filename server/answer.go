package server

import (
	"net/http"
	"strconv"
	"strings"
)

// Codes of errors that several packages answer with. server/api has the others.
const (
	CodeInternal     = "ApiInternalError"
	CodeValidation   = "ApiValidationError"
	CodeInvalidToken = "ApiInvalidTokenError"
	CodeAccessDenied = "ApiAccessDeniedError"
	CodeTooLarge     = "ApiTooLargeError"
	CodeUnavailable  = "ApiUnavailableError"
)

// ErrorAnswer is the body of a response that reports an error, in ChatApp's shape. All
// routes use it except those of Pusher's HTTP API, which has a shape of its own.
type ErrorAnswer struct {
	Success bool        `json:"success"` // false
	Error   ErrorObject `json:"error"`
}

// ErrorObject is the error of an ErrorAnswer.
type ErrorObject struct {
	Code    string            `json:"code"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields,omitempty"` // what is wrong with each field
}

// InternalError is all that a client learns about an error inside the server.
var InternalError = ErrorObject{Code: CodeInternal, Message: "internal error"}

// AcceptsGzip reports whether the Accept-Encoding of h accepts gzip. An entry for gzip
// overrides one for *, and a weight of 0 refuses. A weight that is not a number refuses
// too, because the plain form is always acceptable.
func AcceptsGzip(h http.Header) bool {
	accepts := false
	for entry := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(entry, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		weight := 1.0
		if key, value, ok := strings.Cut(params, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			weight, _ = strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
		if coding == "gzip" {
			return weight > 0
		}
		accepts = weight > 0
	}
	return accepts
}

package apitest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// The parts of forms that browsers upload have the types of their files.
func init() {
	for _, contentType := range []string{"image/png", "image/jpeg", "application/pdf"} {
		openapi3filter.RegisterBodyDecoder(contentType, openapi3filter.FileBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder)
}

// Documented returns handler with every answer checked against openapi.yaml: its
// status, its headers and its whole body. Events that an answer lists are checked
// against their schemas. A request that succeeded must be as documented too. Errors
// fail the test. If seen is not nil, it is called for each answer of a documented
// operation; it may be called concurrently.
//
// Answers pass through as they are written, so long polls and files still stream. Of a
// request that becomes a socket, only the upgrade is checked. In benchmarks and fuzz
// tests, Documented returns handler itself, so that it changes no measurement.
func Documented(t testing.TB, handler http.Handler, seen func(op *Operation, r *http.Request, status int)) http.Handler {
	t.Helper()
	switch t.(type) {
	case *testing.B, *testing.F:
		return handler
	}
	ref, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	evolution, err := LoadEvolution()
	if err != nil {
		t.Fatal(err)
	}
	multiwa, err := LoadMultiWA()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.Clone(r.Context())
		sent := &copied{}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = sent.of(r.Body)
		}
		got := &witness{ResponseWriter: w}
		got.look = func() {
			ref := ref
			if found, _, _ := ref.Find(asked); found == nil {
				for _, dialect := range []*Reference{evolution, multiwa} {
					if found, _, _ := dialect.Find(asked); found != nil {
						ref = dialect
						break
					}
				}
			}
			op, violation := ref.check(asked, sent, got)
			if violation != nil {
				t.Errorf("%s %s is not as documented: %v\nrequest %.2000s\nanswer %d %.2000s", asked.Method, asked.URL, violation, sent.Bytes(), got.status, got.body.Bytes())
			}
			if op != nil && seen != nil {
				seen(op, asked, got.status)
			}
		}
		handler.ServeHTTP(got, r)
		if r.Context().Err() != nil && got.status == clientGone {
			return
		}
		got.end()
	})
}

// OfEngineIO reports whether path is one of Engine.IO, which is in no reference: it has a
// protocol of its own, whose answers OpenAPI cannot describe. See docs/socketio.md. The
// packets carry the key, so the tests of server/socketio check who may do what.
func OfEngineIO(path string) bool {
	return strings.HasSuffix(strings.TrimSuffix(path, "/"), "/socket.io")
}

// check finds the operation of r and returns an error that says what in the answer,
// or in the request it answers, is not documented.
func (ref *Reference) check(r *http.Request, sent *copied, got *witness) (*Operation, error) {
	op, params, known := ref.Find(r)
	switch {
	case op != nil:
	case OfEngineIO(r.URL.Path):
		return nil, nil
	case got.status == http.StatusSwitchingProtocols: // a frame on the socket reports the unknown path
		return nil, nil
	case r.Method == http.MethodOptions || got.status == http.StatusNotFound || got.status == http.StatusNotImplemented || known && got.status == http.StatusMethodNotAllowed:
		return nil, nil
	default:
		return nil, fmt.Errorf("no such operation is documented")
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: op.route(ref), QueryParams: r.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		},
	}
	if got.status < 300 && !sent.cut {
		if err := op.checkRequest(in, sent.Bytes(), got.status == http.StatusSwitchingProtocols); err != nil {
			return op, fmt.Errorf("the request: %w", err)
		}
	}
	if status := strconv.Itoa(got.status); op.Responses.Value(status) == nil {
		return op, fmt.Errorf("status %s is not among %v", status, op.Statuses())
	}
	if got.body.cut || got.header.Get("Content-Encoding") != "" {
		in.Options.ExcludeResponseBody = true
	}
	err := openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: got.status, Header: got.header,
		Body: io.NopCloser(bytes.NewReader(got.body.Bytes())), Options: in.Options,
	})
	if err != nil || got.status != http.StatusOK {
		return op, err
	}
	switch op.String() {
	case "/v1/events GET":
		err = checkEvents(got.body.Bytes())
	case "/v1/events/stream GET":
		err = checkStream(got.body.Bytes())
	}
	return op, err
}

// clientGone is the status of a request that its client has given up, on any route.
const clientGone = 499

// unknownParam is the prefix of parameters that are unknown on purpose: the
// conformance kit checks that they are signed like others.
const unknownParam = "kit_"

// checkRequest checks a request against the documented parameters and body, and the
// names in its query against the documented names. For a socket it checks only these
// names: the server judges the values on the socket.
func (o *Operation) checkRequest(in *openapi3filter.RequestValidationInput, sent []byte, socket bool) error {
	in.Request.Body = http.NoBody
	if in.Request.ContentLength = int64(len(sent)); len(sent) > 0 {
		in.Request.Body = io.NopCloser(bytes.NewReader(sent))
		if in.Request.Header.Get("Content-Type") == "" {
			in.Request.Header.Set("Content-Type", o.usualType())
		}
	}
	var known []string
	for _, p := range slices.Concat(o.Parameters, o.item.Parameters) {
		known = append(known, p.Value.Name)
	}
	for name := range in.QueryParams {
		if strings.HasPrefix(strings.ToLower(name), unknownParam) {
			continue
		}
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			return fmt.Errorf("the query parameter %q is not documented", name)
		}
	}
	if socket {
		return nil
	}
	if strings.HasPrefix(in.Request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if _, err := url.ParseQuery(string(sent)); err != nil {
			in.Options.ExcludeRequestBody = true // the routes accept more than the specification of forms
		}
	}
	if strings.HasPrefix(o.Path, "/broadcasting/") && strings.HasPrefix(in.Request.Header.Get("Content-Type"), "multipart/form-data") {
		in.Options.ExcludeRequestBody = true // the routes accept other fields and files, too
	}
	if in.Request.Header.Get("Content-Encoding") != "" {
		in.Options.ExcludeRequestBody = true // openapi.yaml describes the uncompressed body
	}
	return openapi3filter.ValidateRequest(in.Request.Context(), in)
}

// usualType returns the media type that the routes assume for a body without one.
func (o *Operation) usualType() string {
	if strings.HasPrefix(o.Path, "/broadcasting/") {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

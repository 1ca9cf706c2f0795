package apitest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// Documented is handler with every answer held against openapi.yaml: its status,
// its headers, its body down to the last field. A request that was answered with
// success must be as documented too. Faults fail the test. seen, when not nil, is
// told of each answer of a documented operation; it may be called concurrently.
//
// Answers are kept back until they are whole, so it is not for sockets.
func Documented(t testing.TB, handler http.Handler, seen func(op *Operation, r *http.Request, status int)) http.Handler {
	t.Helper()
	ref, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("apitest: the request's body: %v", err)
		}
		asked := r.Clone(r.Context())
		r.Body = body(sent)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)

		asked.Body = body(sent)
		op, fault := ref.check(asked, rec)
		if fault != nil {
			t.Errorf("%s %s is not as documented: %v\nrequest %.2000s\nanswer %d %.2000s", r.Method, r.URL, fault, sent, rec.Code, rec.Body)
		}
		if op != nil && seen != nil {
			seen(op, r, rec.Code)
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// body is content as the body of a request, as the server sees it.
func body(content []byte) io.ReadCloser {
	if len(content) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(content))
}

// check finds the operation and what of the answer, or of the request that it
// answers, is not documented.
func (ref *Reference) check(r *http.Request, got *httptest.ResponseRecorder) (*Operation, error) {
	op, params, known := ref.Find(r)
	switch {
	case op != nil:
	case r.Method == http.MethodOptions || got.Code == http.StatusNotFound || known && got.Code == http.StatusMethodNotAllowed:
		return nil, nil
	default:
		return nil, fmt.Errorf("no such operation is documented")
	}
	if r.Header.Get("Content-Type") == "" && r.ContentLength != 0 {
		r.Header.Set("Content-Type", "application/json") // what the routes take it for
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: op.route(ref), QueryParams: r.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		},
	}
	if got.Code < 300 {
		if err := op.checkRequest(in); err != nil {
			return op, fmt.Errorf("the request: %w", err)
		}
	}
	if status := strconv.Itoa(got.Code); op.Responses.Value(status) == nil {
		return op, fmt.Errorf("status %s is not among %v", status, op.Statuses())
	}
	return op, openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: got.Code, Header: got.Header(),
		Body: io.NopCloser(bytes.NewReader(got.Body.Bytes())), Options: in.Options,
	})
}

// checkRequest holds a request against the documented parameters and body, and its
// query against the documented names.
func (o *Operation) checkRequest(in *openapi3filter.RequestValidationInput) error {
	var known []string
	for _, p := range slices.Concat(o.Parameters, o.item.Parameters) {
		known = append(known, p.Value.Name)
	}
	for name := range in.QueryParams {
		if !slices.Contains(known, name) {
			return fmt.Errorf("the query parameter %q is not documented", name)
		}
	}
	return openapi3filter.ValidateRequest(in.Request.Context(), in)
}

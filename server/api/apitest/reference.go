package apitest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"chatcast/server/api"
)

// Operation is one method of one path of openapi.yaml.
type Operation struct {
	Method string // in capitals
	Path   string // "/v1/tags/{id}"
	item   *openapi3.PathItem
	*openapi3.Operation
}

// Reference is openapi.yaml, read.
type Reference struct {
	Doc        *openapi3.T
	Operations []Operation // sorted by path and method
}

// Load reads openapi.yaml once and validates it against OpenAPI itself.
var Load = sync.OnceValues(func() (*Reference, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := doc.Validate(loader.Context); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	ref := &Reference{Doc: doc}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			ref.Operations = append(ref.Operations, Operation{method, path, item, op})
		}
	}
	slices.SortFunc(ref.Operations, func(a, b Operation) int {
		return strings.Compare(a.String(), b.String())
	})
	return ref, nil
})

// String is "/v1/tags/{id} GET".
func (o Operation) String() string { return o.Path + " " + o.Method }

// Events are the names in x-events: what the operation may cause.
func (o Operation) Events() []string {
	var names []string
	list, _ := o.Extensions["x-events"].([]any)
	for _, name := range list {
		names = append(names, fmt.Sprint(name))
	}
	return names
}

// Statuses are the statuses that are documented.
func (o Operation) Statuses() []string { return slices.Sorted(maps.Keys(o.Responses.Map())) }

// SignedIn says whether the operation wants an access token.
func (o Operation) SignedIn(ref *Reference) bool {
	if o.Security == nil {
		return len(ref.Doc.Security) > 0
	}
	return len(*o.Security) > 0
}

// Body is the content of the request's body by media type; nil when there is none.
func (o Operation) Body() openapi3.Content {
	if o.RequestBody == nil {
		return nil
	}
	return o.RequestBody.Value.Content
}

// route is what kin-openapi calls an operation.
func (o Operation) route(ref *Reference) *routers.Route {
	return &routers.Route{Spec: ref.Doc, Path: o.Path, PathItem: o.item, Method: o.Method, Operation: o.Operation}
}

// Find is the operation of a request with its path's parameters. known says
// whether the path has any; it may have others when found is nil.
func (ref *Reference) Find(r *http.Request) (found *Operation, params map[string]string, known bool) {
	best := -1
	for i := range ref.Operations {
		op := &ref.Operations[i]
		given, literal, ok := match(op.Path, r.URL.EscapedPath())
		if !ok {
			continue
		}
		known = true
		// As the router does: a fixed segment goes before a parameter.
		if op.Method == r.Method && literal > best {
			found, params, best = op, given, literal
		}
	}
	return found, params, known
}

// match holds an escaped path against a template. literal grows with the segments that
// are equal, the first ones weighing most.
func match(template, path string) (params map[string]string, literal int, ok bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, 0, false
	}
	params = map[string]string{}
	for i, segment := range want {
		literal *= 2
		if plain, err := url.PathUnescape(have[i]); err == nil {
			have[i] = plain
		}
		switch {
		case strings.HasPrefix(segment, "{"):
			if have[i] == "" {
				return nil, 0, false
			}
			params[strings.Trim(segment, "{}")] = have[i]
		case segment == have[i]:
			literal++
		default:
			return nil, 0, false
		}
	}
	return params, literal, true
}

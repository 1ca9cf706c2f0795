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
	Method string // in upper case
	Path   string // "/v1/tags/{id}"
	item   *openapi3.PathItem
	*openapi3.Operation
}

// Reference is the parsed openapi.yaml.
type Reference struct {
	Doc        *openapi3.T
	Operations []Operation // sorted by path and method
}

// Load parses openapi.yaml once and validates it against the OpenAPI specification.
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

// String returns the operation as "/v1/tags/{id} GET".
func (o Operation) String() string { return o.Path + " " + o.Method }

// Events returns the names in x-events: the events that the operation may cause.
func (o Operation) Events() []string {
	var names []string
	list, _ := o.Extensions["x-events"].([]any)
	for _, name := range list {
		names = append(names, fmt.Sprint(name))
	}
	return names
}

// Access returns x-access: the right that the operation needs. It is empty when none is
// declared.
func (o Operation) Access() string {
	right, _ := o.Extensions["x-access"].(string)
	return right
}

// Statuses returns the documented statuses, sorted.
func (o Operation) Statuses() []string { return slices.Sorted(maps.Keys(o.Responses.Map())) }

// SignedIn reports whether the operation requires an access token.
func (o Operation) SignedIn(ref *Reference) bool {
	if o.Security == nil {
		return len(ref.Doc.Security) > 0
	}
	for _, way := range *o.Security {
		if len(way) == 0 { // the token is optional
			return false
		}
	}
	return len(*o.Security) > 0
}

// Body returns the content of the request's body by media type; nil without a body.
func (o Operation) Body() openapi3.Content {
	if o.RequestBody == nil {
		return nil
	}
	return o.RequestBody.Value.Content
}

// route returns o in the form that kin-openapi takes.
func (o Operation) route(ref *Reference) *routers.Route {
	return &routers.Route{Spec: ref.Doc, Path: o.Path, PathItem: o.item, Method: o.Method, Operation: o.Operation}
}

// Find returns the operation of a request and its path parameters. known reports
// whether the path has any operation; it may have others when found is nil. A HEAD that
// is not documented is that of its GET.
func (ref *Reference) Find(r *http.Request) (found *Operation, params map[string]string, known bool) {
	found, params, known = ref.find(r, r.Method)
	if found == nil && r.Method == http.MethodHead {
		found, params, known = ref.find(r, http.MethodGet)
	}
	return found, params, known
}

func (ref *Reference) find(r *http.Request, method string) (found *Operation, params map[string]string, known bool) {
	best := -1
	for i := range ref.Operations {
		op := &ref.Operations[i]
		given, literal, ok := match(op.Path, r.URL.EscapedPath())
		if !ok {
			continue
		}
		known = true
		// As in the router, a fixed segment precedes a parameter.
		if op.Method == method && literal > best {
			found, params, best = op, given, literal
		}
	}
	return found, params, known
}

// match matches an escaped path against a template. literal grows with the number of
// equal segments, the first ones weighing most.
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

package apitest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/goccy/go-yaml"

	"chatcast/server/api"
	"chatcast/server/evolution"
	"chatcast/server/multiwa"
)

// Operation is one method of one path of openapi.yaml.
type Operation struct {
	Method string // in upper case
	Path   string // "/v1/tags/{id}"
	Page   bool   // it is not in openapi.yaml, but among the pages for browsers
	item   *openapi3.PathItem
	*openapi3.Operation
}

// Reference is the parsed openapi.yaml, with the pages of pages.yaml.
type Reference struct {
	Doc        *openapi3.T
	Operations []Operation              // sorted by path and method
	spec       *openapi3.T              // Doc, as kin-openapi takes it
	prefix     string                   // under which all paths are served too; empty: none
	rewrite    func(path string) string // to the path that is documented; nil: it is the same
}

// pages documents the pages and files for browsers, which are not for users of the API.
//
//go:embed pages.yaml
var pages []byte

// Load parses openapi.yaml and the pages once. That they are as the OpenAPI specification
// wants them is checked in this package's own tests: it takes seconds.
var Load = sync.OnceValues(func() (*Reference, error) {
	text, isPage, err := withPages(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return referenceOf(doc, isPage, "")
})

// LoadEvolution parses the reference of the dialect of Evolution API once.
var LoadEvolution = sync.OnceValues(func() (*Reference, error) {
	doc, err := openapi3.NewLoader().LoadFromData(evolution.Reference())
	if err != nil {
		return nil, fmt.Errorf("the reference of Evolution API: %w", err)
	}
	return referenceOf(doc, nil, evolution.Prefix)
})

// LoadMultiWA parses the reference of the dialect of MultiWA once.
var LoadMultiWA = sync.OnceValues(func() (*Reference, error) {
	doc, err := openapi3.NewLoader().LoadFromData(multiwa.Reference())
	if err != nil {
		return nil, fmt.Errorf("the reference of MultiWA: %w", err)
	}
	ref, err := referenceOf(doc, nil, "")
	if err != nil {
		return nil, err
	}
	ref.rewrite = multiwa.Documented
	return ref, nil
})

// referenceOf returns the reference with the operations of a document.
func referenceOf(doc *openapi3.T, isPage map[string]bool, prefix string) (*Reference, error) {
	if err := doc.WalkSchemas(simplify); err != nil {
		return nil, err
	}
	ref := &Reference{Doc: doc, prefix: prefix, spec: &openapi3.T{OpenAPI: "3.0.3", Components: doc.Components, Security: doc.Security}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			ref.Operations = append(ref.Operations, Operation{method, path, isPage[path], item, op})
		}
	}
	slices.SortFunc(ref.Operations, func(a, b Operation) int {
		return strings.Compare(a.String(), b.String())
	})
	return ref, nil
}

// simplify writes a schema with what OpenAPI 3.0 has, so that it says the same: a const as an
// enum of one value, and null, where no type excludes it, as nullable. For a document of
// OpenAPI 3.1 kin-openapi compiles the schema anew for each value that it checks, which took
// half of the time of the tests that walk through the references. TestSchemasJudgeTheSame
// holds all schemas against a validator of JSON Schema.
func simplify(pointer string, ref *openapi3.SchemaRef) error {
	schema := ref.Value
	if schema.Const != nil {
		if len(schema.Enum) > 0 {
			return fmt.Errorf("%s has const and enum", pointer)
		}
		schema.Const, schema.Enum = nil, []any{schema.Const}
	}
	if schema.Type == nil && schema.Not == nil && len(schema.OneOf)+len(schema.AnyOf)+len(schema.AllOf) == 0 {
		schema.Nullable = len(schema.Enum) == 0 || slices.Contains(schema.Enum, nil)
	}
	return nil
}

// withPages adds the pages to the reference: their paths, and what only they refer to.
func withPages(reference []byte) (text []byte, isPage map[string]bool, err error) {
	var all, more map[string]any
	if err := yaml.Unmarshal(reference, &all); err != nil {
		return nil, nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := yaml.Unmarshal(pages, &more); err != nil {
		return nil, nil, fmt.Errorf("pages.yaml: %w", err)
	}
	isPage = map[string]bool{}
	for path := range more["paths"].(map[string]any) {
		isPage[path] = true
	}
	if err := merge(all, more); err != nil {
		return nil, nil, fmt.Errorf("pages.yaml: %w", err)
	}
	text, err = json.Marshal(all)
	return text, isPage, err
}

// merge adds what into lacks. The two may share objects, but no values.
func merge(into, more map[string]any) error {
	for key, value := range more {
		present, there := into[key]
		if !there {
			into[key] = value
			continue
		}
		inner, isObject := present.(map[string]any)
		added, alsoObject := value.(map[string]any)
		if !isObject || !alsoObject || strings.HasPrefix(key, "/") {
			return fmt.Errorf("openapi.yaml has %s too", key)
		}
		if err := merge(inner, added); err != nil {
			return err
		}
	}
	return nil
}

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

// Key returns x-key: the rights that a key needs for the operation. It is empty when no key
// may.
func (o Operation) Key() (rights []string) {
	list, _ := o.Extensions["x-key"].([]any)
	for _, right := range list {
		rights = append(rights, fmt.Sprint(right))
	}
	return rights
}

// Item returns what the operation shares with the others of its path.
func (o Operation) Item() *openapi3.PathItem { return o.item }

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
	return &routers.Route{Spec: ref.spec, Path: o.Path, PathItem: o.item, Method: o.Method, Operation: o.Operation}
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
	best, path := -1, r.URL.EscapedPath()
	if ref.rewrite != nil {
		path = ref.rewrite(path)
	}
	for i := range ref.Operations {
		op := &ref.Operations[i]
		given, literal, ok := match(op.Path, path)
		if !ok && ref.prefix != "" { // a slash may end it
			short := strings.TrimSuffix(path, "/")
			if given, literal, ok = match(op.Path, short); !ok {
				given, literal, ok = match(op.Path, strings.TrimPrefix(short, ref.prefix))
			}
		}
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

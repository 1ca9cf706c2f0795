package api_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"chatcast/server/api/apitest"
)

// operationID is a lowerCamelCase name without runs of capitals, as generators of clients
// make methods of it in every language.
var operationID = regexp.MustCompile(`^[a-z][a-z0-9]*([A-Z][a-z0-9]+)+$`)

// fromPath returns the id that tools derive from a method and a path.
func fromPath(op apitest.Operation) string {
	id := strings.ToLower(op.Method)
	for _, word := range regexp.MustCompile(`[{A-Za-z0-9]+`).FindAllString(strings.TrimPrefix(op.Path, "/v1"), -1) {
		word, isParam := strings.CutPrefix(word, "{")
		if isParam {
			id += "By"
		}
		id += strings.ToUpper(word[:1]) + word[1:]
	}
	return id
}

// TestOperationIDs checks that every operation has a short name of its own.
func TestOperationIDs(t *testing.T) {
	seen := map[string]apitest.Operation{}
	for _, op := range reference(t).Operations {
		id := op.OperationID
		if !operationID.MatchString(id) || len(id) > 30 || id == fromPath(op) {
			t.Errorf("%s: %q is no short name in lowerCamelCase, or comes from the path", op, id)
		}
		if other, taken := seen[id]; taken {
			t.Errorf("%s and %s are both %q", op, other, id)
		}
		seen[id] = op
	}
}

// TestComponentsHaveNamesOfTheirOwn checks that no two components have the same name, in
// any case: generators make types of all of them, in one package.
func TestComponentsHaveNamesOfTheirOwn(t *testing.T) {
	components, seen := reference(t).Doc.Components, map[string]string{}
	add := func(name, kind string) {
		if other, taken := seen[strings.ToLower(name)]; taken {
			t.Errorf("%s is a name of the %s and of the %s", name, kind, other)
		}
		seen[strings.ToLower(name)] = kind
	}
	for name := range components.Schemas {
		add(name, "schemas")
	}
	for name := range components.Responses {
		add(name, "responses")
	}
	for name := range components.Parameters {
		add(name, "parameters")
	}
	for _, name := range []string{"Client", "Server"} { // generators have them too
		add(name, "generated code")
	}
}

// example returns the example of a schema: its own, or that of the schema which it only
// narrows.
func example(schema *openapi3.Schema) any {
	if schema.Example == nil && len(schema.AllOf) > 0 {
		return example(schema.AllOf[0].Value)
	}
	return schema.Example
}

// TestEveryRequestHasAnExample checks that each body and each parameter has an example
// that its schema accepts; for parameters, the values of an enum will do.
func TestEveryRequestHasAnExample(t *testing.T) {
	for _, op := range reference(t).Operations {
		for _, ref := range slices.Concat(op.Parameters, op.Item().Parameters) {
			p := ref.Value
			sample := p.Example
			if sample == nil {
				sample = example(p.Schema.Value)
			}
			if sample == nil && len(p.Schema.Value.Enum) == 0 {
				t.Errorf("%s: the parameter %s has no example", op, p.Name)
			} else if sample != nil {
				if err := p.Schema.Value.VisitJSON(sample); err != nil {
					t.Errorf("%s: the example of %s: %v", op, p.Name, err)
				}
			}
		}
		for kind, media := range op.Body() {
			sample, schema := media.Example, media.Schema
			if sample == nil && schema != nil {
				sample = example(schema.Value)
			}
			if sample == nil {
				t.Errorf("%s: the body in %s has no example", op, kind)
			} else if schema != nil {
				if err := schema.Value.VisitJSON(sample); err != nil {
					t.Errorf("%s: the example of the body in %s: %v", op, kind, err)
				}
			}
		}
	}
}

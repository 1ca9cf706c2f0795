package api_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"chatcast/server/api"
	"chatcast/server/api/apitest"
)

// TestOpenAPIInJSON checks that the document in JSON says what the one in YAML says.
func TestOpenAPIInJSON(t *testing.T) {
	text, err := api.OpenAPIJSON(api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var inYAML, inJSON any
	if err := yaml.Unmarshal(api.OpenAPI(), &inYAML); err != nil {
		t.Fatal(err)
	}
	if inYAML, err = jsonschema.UnmarshalJSON(bytes.NewReader(marshal(t, inYAML))); err != nil {
		t.Fatal(err)
	}
	if inJSON, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(inYAML, inJSON) {
		t.Error("the two differ")
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// convert converts and validates openapi.yaml once.
var convert = sync.OnceValues(func() (*openapi3.T, error) {
	text, err := api.OpenAPI30(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(loader.Context)
})

// published returns openapi.yaml in OpenAPI 3.0.
func published(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := convert()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestOpenAPI30HasTheOperations checks that the converted document has each operation with
// its name, its right, its parameters, its bodies and its answers.
func TestOpenAPI30HasTheOperations(t *testing.T) {
	doc, n := published(t), 0
	if doc.OpenAPI != "3.0.3" {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	for _, want := range reference(t).Operations {
		if item := doc.Paths.Value(want.Path); want.Page {
			if item != nil {
				t.Errorf("%s is published, but it is no API", want)
			}
			continue
		}
		n++
		got := doc.Paths.Value(want.Path).GetOperation(want.Method)
		op := apitest.Operation{Operation: got}
		if got.OperationID != want.OperationID || op.Access() != want.Access() || len(got.Parameters) != len(want.Parameters) ||
			len(op.Body()) != len(want.Body()) || !slices.Equal(op.Statuses(), want.Statuses()) {
			t.Errorf("%s is not the same in OpenAPI 3.0", want)
		}
	}
	if n < 120 {
		t.Errorf("only %d operations", n)
	}
}

// TestOpenAPI30SaysTheSame checks that each schema accepts and refuses in OpenAPI 3.0 what
// it does in 3.1: its example, and the example with one value replaced, removed or added.
func TestOpenAPI30SaysTheSame(t *testing.T) {
	text, err := api.OpenAPIJSON(api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	accepted, refused := 0, 0
	for name, converted := range published(t).Components.Schemas {
		source, err := compiler.Compile("openapi.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range append(changed(converted.Value.Example), 1, "x") {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(marshal(t, v)))
			if err != nil {
				t.Fatal(err)
			}
			var plain any
			if err := json.Unmarshal(marshal(t, v), &plain); err != nil {
				t.Fatal(err)
			}
			want, got := source.Validate(v), converted.Value.VisitJSON(plain)
			if (want == nil) != (got == nil) {
				t.Errorf("%s: of %s OpenAPI 3.1 says %v, 3.0 says %v", name, marshal(t, v), want, got)
			}
			if want == nil {
				accepted++
			} else {
				refused++
			}
		}
	}
	if accepted < 1000 || refused < 1000 {
		t.Errorf("only %d values were accepted and %d refused", accepted, refused)
	}
}

// changed returns v, and v with each value in it replaced or removed, or one added.
func changed(v any) []any {
	all := []any{v, nil, true, 1.5, -5, "x", []any{}, map[string]any{}}
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			without := map[string]any{"more": 1}
			for other := range v {
				if other != key {
					without[other] = v[other]
				}
			}
			all = append(all, without)
			for _, value := range changed(v[key]) {
				other := map[string]any{key: value}
				for k := range v {
					if k != key {
						other[k] = v[k]
					}
				}
				all = append(all, other)
			}
		}
	case []any:
		for i := range v {
			for _, value := range changed(v[i]) {
				other := slices.Clone(v)
				other[i] = value
				all = append(all, other)
			}
		}
	}
	return all
}

// small is a document of OpenAPI 3.1 with one of each kind of object.
const small = `openapi: 3.1.0
info: {title: small, version: "1", license: {name: MIT, identifier: MIT}}
paths:
  /:
    get:
      operationId: look
      parameters:
        - {$ref: "#/components/parameters/id"}
      responses:
        "200": {description: ok, content: {application/json: {}, text/plain: {}, image/png: {}}}
components:
  parameters:
    id: {name: id, in: query, schema: {$ref: "#/components/schemas/Id"}}
  schemas:
    Id: {type: integer}
    Color: {type: string}
`

// TestOpenAPI30Refuses spoils a document in each way that has no form in OpenAPI 3.0, or
// none that is known: the document is not made, and the error names the place.
func TestOpenAPI30Refuses(t *testing.T) {
	if _, err := api.OpenAPI30([]byte(small)); err != nil {
		t.Fatal(err)
	}
	const schema, at = "{type: string}", "#/components/schemas/Color"
	for name, c := range map[string]struct{ old, with, want string }{
		"an unknown keyword":             {schema, "{type: string, contentEncoding: base64}", at + "/contentEncoding: it is not known"},
		"a keyword of 3.1":               {schema, "{if: {}}", at + "/if: it is not known"},
		"an unknown field":               {"operationId: look", "callbacks: {}", "#/paths/~1/get/callbacks: it is not known"},
		"an unknown kind of component":   {"\ncomponents:\n", "\ncomponents:\n  pathItems: {}\n", "#/components/pathItems: it is not known"},
		"null alone":                     {schema, "{type: \"null\"}", at + "/type: OpenAPI 3.0 has null only beside another type"},
		"null in a wider choice":         {schema, "{anyOf: [{type: string}, {type: integer}, {type: \"null\"}]}", at + "/anyOf: null beside several"},
		"two choices":                    {schema, "{type: [string, integer], anyOf: [{minLength: 1}]}", at + ": OpenAPI 3.0 would need anyOf twice"},
		"values of two types":            {schema, "{enum: [red, 1]}", at + "/enum: the values must be of one type"},
		"an object where a list must be": {schema, "{allOf: {type: string}}", at + "/allOf: must be a list"},
		"a list where an object must be": {schema, "{properties: []}", at + "/properties: must be an object"},
		"no example":                     {schema, "{examples: []}", at + "/examples: must be a list with an example"},
		"a reference with more":          {"parameters/id\"}", "parameters/id\", description: x}", "#/paths/~1/get/parameters/0: OpenAPI 3.0 allows nothing beside $ref"},
		"no YAML":                        {"\npaths:\n", "\npaths: {\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := strings.Replace(small, c.old, c.with, 1)
			if spoilt == small {
				t.Fatalf("the document has no %q", c.old)
			}
			if _, err := api.OpenAPI30([]byte(spoilt)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestOpenAPI30Converts checks each form that is another in OpenAPI 3.0.
func TestOpenAPI30Converts(t *testing.T) {
	for source, want := range map[string]string{
		`{type: number, exclusiveMinimum: 1, exclusiveMaximum: 9}`:     `{"type":"number","minimum":1,"exclusiveMinimum":true,"maximum":9,"exclusiveMaximum":true}`,
		`{type: string, examples: [a, b]}`:                             `{"type":"string","example":"a"}`,
		`{$ref: "#/components/schemas/Id"}`:                            `{"$ref":"#/components/schemas/Id"}`,
		`{$ref: "#/components/schemas/Id", description: x}`:            `{"allOf":[{"$ref":"#/components/schemas/Id"}],"description":"x"}`,
		`{anyOf: [{$ref: "#/components/schemas/Id"}, {type: "null"}]}`: `{"type":"integer","nullable":true,"allOf":[{"$ref":"#/components/schemas/Id"}]}`,
		`{anyOf: [{type: object}, {type: "null"}]}`:                    `{"type":"object","additionalProperties":true,"nullable":true}`,
		`{anyOf: [{type: string}, {type: integer}]}`:                   `{"anyOf":[{"type":"string"},{"type":"integer"}]}`,
		`{type: [string, integer, "null"]}`:                            `{"anyOf":[{"type":"string","nullable":true},{"type":"integer"}]}`,
		`{type: [string, "null"], const: a}`:                           `{"type":"string","nullable":true,"enum":["a"]}`,
		`{const: 1.5}`:                                                 `{"type":"number","enum":[1.5]}`,
		`{enum: [a, null]}`:                                            `{"type":"string","nullable":true,"enum":["a",null]}`,
		`{type: array}`:                                                `{"type":"array","items":{}}`,
		`{additionalProperties: {type: [string]}}`:                     `{"additionalProperties":{"type":"string"}}`,
	} {
		text, err := api.OpenAPI30([]byte(strings.Replace(small, "{type: string}", source, 1)))
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		var got bytes.Buffer
		if err := json.Compact(&got, text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.String(), `"Color":`+want+`}`) {
			t.Errorf("%s became\n%s, want\n%s", source, &got, want)
		}
		for _, want := range []string{
			`"openapi":"3.0.3"`, `"license":{"name":"MIT","url":"https://spdx.org/licenses/MIT.html"}`,
			`"content":{"application/json":{"schema":{}},"text/plain":{"schema":{"type":"string"}},"image/png":{"schema":{"type":"string","format":"binary"}}}`,
		} {
			if !strings.Contains(got.String(), want) {
				t.Errorf("the document has no %s: %s", want, &got)
			}
		}
	}
}

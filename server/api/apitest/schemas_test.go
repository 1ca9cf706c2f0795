package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"chatcast/server/api"
	"chatcast/server/api/apitest"
	"chatcast/server/evolution"
	"chatcast/server/multiwa"
)

// TestSchemasJudgeTheSame checks that each schema of the references, as answers are held
// against it, accepts and refuses what a validator of JSON Schema does.
func TestSchemasJudgeTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		text []byte
		load func() (*apitest.Reference, error)
	}{
		"openapi":   {api.OpenAPI(), apitest.Load},
		"evolution": {evolution.Reference(), apitest.LoadEvolution},
		"multiwa":   {multiwa.Reference(), apitest.LoadMultiWA},
	} {
		t.Run(name, func(t *testing.T) {
			j := &judges{t: t, compiler: jsonschema.NewCompiler(), used: map[string]*openapi3.Schema{}}
			ref, err := c.load()
			if err != nil {
				t.Fatal(err)
			}
			if err := ref.Doc.WalkSchemas(func(pointer string, ref *openapi3.SchemaRef) error {
				j.used[pointer] = ref.Value
				j.compiler.RegisterFormat(&jsonschema.Format{Name: ref.Value.Format, Validate: formatted(ref.Value.Format)})
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			written, err := openapi3.NewLoader().LoadFromData(c.text)
			if err != nil {
				t.Fatal(err)
			}
			j.compiler.AssertFormat()
			if err := j.compiler.AddResource("reference.json", inJSON(t, written)); err != nil {
				t.Fatal(err)
			}
			if err := written.WalkSchemas(j.compare); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d schemas, %d values accepted, %d refused", j.schemas, j.accepted, j.refused)
			if j.schemas < 200 || j.accepted < 1000 || j.refused < 1000 {
				t.Errorf("only %d schemas, %d values accepted, %d refused", j.schemas, j.accepted, j.refused)
			}
		})
	}
}

type judges struct {
	t                          *testing.T
	compiler                   *jsonschema.Compiler
	used                       map[string]*openapi3.Schema // as answers are held against it
	schemas, accepted, refused int
}

// compare has both judge an example of a schema, changes of it, and a value of each type.
func (j *judges) compare(pointer string, ref *openapi3.SchemaRef) error {
	j.schemas++
	text, err := json.Marshal(ref.Value)
	if err != nil {
		return err
	}
	alone := bytes.ReplaceAll(text, []byte(`"#/`), []byte(`"reference.json#/`))
	name := fmt.Sprintf("%d.json", j.schemas)
	if err := j.compiler.AddResource(name, inJSON(j.t, json.RawMessage(alone))); err != nil {
		return err
	}
	source, err := j.compiler.Compile(name)
	if err != nil {
		return err
	}
	for _, v := range changes(sample(ref.Value, 0)) {
		want, got := source.Validate(inJSON(j.t, v)), j.used[pointer].VisitJSON(v)
		if (want == nil) != (got == nil) {
			j.t.Errorf("%s: of %v JSON Schema says %v, the tests say %v", pointer, v, want, got)
		}
		if want == nil {
			j.accepted++
		} else {
			j.refused++
		}
	}
	return nil
}

// formatted returns what checks a string of a format: those that kin-openapi knows.
func formatted(name string) func(any) error {
	return func(v any) error {
		text, isText := v.(string)
		if f := openapi3.SchemaStringFormats[name]; isText && f != nil {
			return f.Validate(text)
		}
		return nil
	}
}

// sample returns a value that a schema describes.
func sample(s *openapi3.Schema, depth int) any {
	switch {
	case s.Example != nil:
		return s.Example
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case depth > 4:
		return nil
	case len(s.OneOf) > 0:
		return sample(s.OneOf[0].Value, depth)
	case len(s.AnyOf) > 0:
		return sample(s.AnyOf[0].Value, depth)
	}
	object := map[string]any{}
	for _, part := range s.AllOf {
		if inner, ok := sample(part.Value, depth).(map[string]any); ok {
			maps.Copy(object, inner)
		}
	}
	for name, property := range s.Properties {
		object[name] = sample(property.Value, depth+1)
	}
	switch {
	case len(object) > 0:
		return object
	case s.Type.Includes("array") && s.Items != nil:
		return []any{sample(s.Items.Value, depth+1)}
	case s.Type.Includes("integer"), s.Type.Includes("number"):
		return 7.0
	case s.Type.Includes("boolean"):
		return true
	case s.Format == "date-time":
		return "2026-11-30T12:00:00Z"
	case s.Type.Includes("string"):
		return "text"
	}
	return object
}

// changes returns v, v with one part removed, replaced or added, and a value of each type.
func changes(v any) []any {
	plain := []any{nil, true, 1.5, -5.0, "x", []any{}, map[string]any{}}
	all := append([]any{v}, plain...)
	switch v := v.(type) {
	case map[string]any:
		with := func(key string, value any) map[string]any {
			other := maps.Clone(v)
			other[key] = value
			return other
		}
		all = append(all, with("more", 1.0))
		for key := range v {
			without := maps.Clone(v)
			delete(without, key)
			all = append(all, without)
			for _, value := range plain {
				all = append(all, with(key, value))
			}
		}
	case []any:
		for _, value := range plain {
			all = append(all, append([]any{value}, v...), []any{value, value})
		}
	}
	return all
}

// inJSON returns a value as the validator takes it.
func inJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

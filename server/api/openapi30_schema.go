package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// keywords are the keywords of a schema that OpenAPI 3.0 has with the same meaning, and
// what becomes of their values. newKeywords are those that it lacks or reads differently.
var (
	keywords    map[string]converter
	newKeywords map[string]func(s *schema, at string, v any) error
)

func init() { // schemas contain schemas
	keywords = map[string]converter{
		"title": same, "description": same, "format": same, "default": same, "example": same, "required": same, "pattern": same,
		"minimum": same, "maximum": same, "multipleOf": same, "minLength": same, "maxLength": same, "minItems": same, "maxItems": same,
		"uniqueItems": same, "minProperties": same, "maxProperties": same, "readOnly": same, "writeOnly": same, "deprecated": same,
		"properties": mapOf(schema30), "items": schema30, "additionalProperties": additional30, "allOf": listOf(schema30),
	}
	newKeywords = map[string]func(s *schema, at string, v any) error{
		"type": (*schema).types, "enum": (*schema).enum, "const": (*schema).constant, "examples": (*schema).examples,
		"anyOf": (*schema).anyOf, "$ref": (*schema).ref,
		"exclusiveMinimum": exclusive("minimum"), "exclusiveMaximum": exclusive("maximum"),
	}
}

// schema is a schema of OpenAPI 3.0 in the making.
type schema struct {
	fields   yaml.MapSlice
	typed    bool // the source has a type
	siblings bool // the source has more than one keyword
}

func (s *schema) set(key string, value any) {
	s.fields = append(s.fields, yaml.MapItem{Key: key, Value: value})
}

// schema30 converts a schema.
func schema30(at string, v any) (any, error) {
	source, err := mapping(at, v)
	if err != nil {
		return nil, err
	}
	s := &schema{fields: yaml.MapSlice{}, typed: has(source, "type"), siblings: len(source) > 1}
	for _, f := range source {
		key := fmt.Sprint(f.Key)
		at := at + "/" + key
		if change := newKeywords[key]; change != nil {
			if err := change(s, at, f.Value); err != nil {
				return nil, err
			}
			continue
		}
		convert := keywords[key]
		if convert == nil {
			return nil, fmt.Errorf("%s: it is not known what becomes of this in OpenAPI 3.0", at)
		}
		value, err := convert(at, f.Value)
		if err != nil {
			return nil, err
		}
		s.set(key, value)
	}
	s.fields = complete(s.fields)
	for i, f := range s.fields {
		if has(s.fields[:i], fmt.Sprint(f.Key)) { // two keywords of 3.1 became the same of 3.0
			return nil, fmt.Errorf("%s: OpenAPI 3.0 would need %v twice", at, f.Key)
		}
	}
	return s.fields, nil
}

// complete says what 3.1 leaves unsaid: 3.0 requires items of an array, and generators
// make a type without fields of an object that does not say that it has any.
func complete(schema yaml.MapSlice) yaml.MapSlice {
	switch kind := get(schema, "type"); {
	case kind == "array" && !has(schema, "items"):
		return append(schema, yaml.MapItem{Key: "items", Value: yaml.MapSlice{}})
	case kind == "object" && !has(schema, "properties") && !has(schema, "additionalProperties") && !has(schema, "allOf"):
		return append(schema, yaml.MapItem{Key: "additionalProperties", Value: true})
	}
	return schema
}

// additional30 converts additionalProperties, which may be true or false.
func additional30(at string, v any) (any, error) {
	if _, is := v.(bool); is {
		return v, nil
	}
	return schema30(at, v)
}

// types converts a list of types: null becomes nullable, and several others a choice.
func (s *schema) types(at string, v any) error {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	rest := slices.DeleteFunc(slices.Clone(list), func(one any) bool { return one == "null" })
	nullable := len(rest) < len(list)
	switch {
	case len(rest) == 0:
		return fmt.Errorf("%s: OpenAPI 3.0 has null only beside another type", at)
	case len(rest) == 1:
		s.set("type", rest[0])
		if nullable {
			s.set("nullable", true)
		}
		return nil
	}
	choices := make([]any, len(rest))
	for i, one := range rest {
		choice := yaml.MapSlice{{Key: "type", Value: one}}
		if nullable && i == 0 { // it says nothing beside anyOf, where there is no type
			choice = append(choice, yaml.MapItem{Key: "nullable", Value: true})
		}
		choices[i] = complete(choice)
	}
	s.set("anyOf", choices)
	return nil
}

// enum adds the type that 3.1 reads from the values, and that null needs.
func (s *schema) enum(at string, v any) error {
	values, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s: must be a list", at)
	}
	if !s.typed {
		kind := ""
		for _, value := range values {
			is := typeOf(value)
			if value != nil && kind != "" && is != kind || is == "" {
				return fmt.Errorf("%s: the values must be of one type that OpenAPI 3.0 can name", at)
			}
			if value != nil {
				kind = is
			}
		}
		s.set("type", kind)
		if slices.Contains(values, nil) {
			s.set("nullable", true)
		}
	}
	s.set("enum", values)
	return nil
}

func (s *schema) constant(at string, v any) error { return s.enum(at, []any{v}) }

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int, int64, uint64:
		return "integer"
	case float64:
		return "number"
	}
	return ""
}

// examples keeps the first of several examples.
func (s *schema) examples(at string, v any) error {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return fmt.Errorf("%s: must be a list with an example", at)
	}
	s.set("example", list[0])
	return nil
}

// anyOf turns a choice between one schema and null into that schema, nullable.
func (s *schema) anyOf(at string, v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s: must be a list", at)
	}
	rest := slices.DeleteFunc(slices.Clone(list), isNull)
	converted, err := listOf(schema30)(at, rest)
	if err != nil {
		return err
	}
	choices := converted.([]any)
	switch {
	case len(rest) == len(list):
		s.set("anyOf", choices)
		return nil
	case len(rest) != 1:
		return fmt.Errorf("%s: null beside several schemas has no form in OpenAPI 3.0", at)
	}
	only := choices[0].(yaml.MapSlice)
	if has(only, "$ref") {
		s.set("nullable", true)
		s.set("allOf", choices)
		return nil
	}
	s.fields = append(s.fields, only...)
	if !has(only, "nullable") {
		s.set("nullable", true)
	}
	return nil
}

func isNull(v any) bool {
	m, _ := v.(yaml.MapSlice)
	return len(m) == 1 && m[0].Key == "type" && m[0].Value == "null"
}

// ref wraps a reference that is not alone: 3.0 ignores what stands beside it.
func (s *schema) ref(_ string, v any) error {
	if !s.siblings {
		s.set("$ref", v)
		return nil
	}
	s.set("allOf", []any{yaml.MapSlice{{Key: "$ref", Value: v}}})
	return nil
}

// exclusive returns what turns an exclusive bound into the bound, and that it is exclusive.
func exclusive(bound string) func(*schema, string, any) error {
	return func(s *schema, _ string, v any) error {
		s.set(bound, v)
		s.set("exclusive"+map[string]string{"minimum": "Minimum", "maximum": "Maximum"}[bound], true)
		return nil
	}
}

// nameTypes adds the type to each reference that may be null, in the converted v: nullable
// says nothing without one. schemas are the components.
func nameTypes(v any, schemas yaml.MapSlice) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = nameTypes(v[i], schemas)
		}
	case yaml.MapSlice:
		for i := range v {
			v[i].Value = nameTypes(v[i].Value, schemas)
		}
		parts, _ := get(v, "allOf").([]any)
		if get(v, "nullable") != true || has(v, "type") || len(parts) != 1 {
			return v
		}
		ref := fmt.Sprint(get(parts[0].(yaml.MapSlice), "$ref"))
		target, _ := get(schemas, ref[strings.LastIndexByte(ref, '/')+1:]).(yaml.MapSlice)
		if kind := get(target, "type"); kind != nil {
			return slices.Insert(v, 0, yaml.MapItem{Key: "type", Value: kind})
		}
	}
	return v
}

func get(m yaml.MapSlice, key string) any {
	for _, f := range m {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

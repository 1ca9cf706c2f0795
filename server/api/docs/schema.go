package docs

import (
	"html/template"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Field describes one field of a JSON object.
type Field struct {
	Name     string
	Type     string
	Link     string // the anchor of the named schema, if any
	Required bool
	Note     template.HTML
	Rules    []Rule
	Fields   []Field // of the object, or of the array's objects
}

// Rule is a constraint of a field, such as "at most" 200.
type Rule struct {
	Word   string
	Values []string
}

// shaper describes the schemas of one document. depth is how many levels of nested
// named schemas are written out; deeper ones are linked.
type shaper struct {
	*builder
	doc   document
	depth int
}

// fields returns the fields of an object schema, or of the objects in an array.
func (s shaper) fields(schema node) []Field {
	schema, name := s.doc.follow(schema)
	if name != "" {
		s.depth--
	}
	if parts := schema.get("allOf").list(); len(parts) > 0 {
		return s.fields(parts[0]) // the others only narrow it
	}
	if only, ok := s.withoutNull(schema); ok {
		return s.fields(only)
	}
	if schema.has("items") {
		return s.fields(schema.get("items"))
	}
	required := schema.get("required").texts()
	var list []Field
	for _, p := range schema.get("properties").pairs() {
		f := s.field(p.key, p.node)
		f.Required = slices.Contains(required, p.key)
		list = append(list, f)
	}
	if more := schema.get("additionalProperties"); len(more.pairs()) > 0 {
		list = append(list, s.field("any name", more))
	}
	return list
}

// field describes one schema under the given name.
func (s shaper) field(name string, schema node) Field {
	f := Field{Name: name}
	f.Type, f.Link = s.words(schema)
	target, _ := s.doc.follow(schema)
	said := schema.get("description").text()
	if said == "" {
		said = target.get("description").text()
	}
	f.Note = s.note(said)
	f.Rules = rules(target)
	if f.Link == "" || s.depth > 0 {
		f.Fields = s.fields(schema)
	}
	return f
}

// withoutNull returns the only schema of an anyOf that is not null.
func (s shaper) withoutNull(schema node) (node, bool) {
	var rest []node
	choices := schema.get("anyOf").list()
	for _, c := range choices {
		if c.get("type").text() != "null" {
			rest = append(rest, c)
		}
	}
	if len(rest) != 1 || len(rest) == len(choices) {
		return node{}, false
	}
	return rest[0], true
}

// words returns the type in words, and the anchor of the named object in it.
func (s shaper) words(schema node) (words, link string) {
	target, name := s.doc.follow(schema)
	if name != "" && target.has("properties") && s.doc.root.has("openapi") {
		return name, "#schema-" + name
	}
	if choices := target.get("anyOf").list(); len(choices) > 0 {
		var all []string
		for _, c := range choices {
			w, to := s.words(c)
			all = append(all, w)
			if to != "" {
				link = to
			}
		}
		return strings.Join(all, " or "), link
	}
	if target.has("items") {
		w, to := s.words(target.get("items"))
		return "array of " + w, to
	}
	types := target.get("type").texts()
	if one := target.get("type").text(); len(types) == 0 && one != "" {
		types = []string{one}
	}
	if len(types) == 0 {
		types = typesOf(target)
	}
	words = strings.Join(types, " or ")
	if format := target.get("format").text(); format != "" {
		words += " (" + format + ")"
	}
	return words, ""
}

// typesOf returns the types of the values that a schema without a type allows.
func typesOf(schema node) (types []string) {
	values := schema.get("enum").list()
	if schema.has("const") {
		values = []node{schema.get("const")}
	}
	for _, v := range values {
		word := "number"
		switch v.value.(type) {
		case string:
			word = "string"
		case bool:
			word = "boolean"
		case nil:
			word = "null"
		}
		if !slices.Contains(types, word) {
			types = append(types, word)
		}
	}
	switch {
	case len(types) > 0:
		return types
	case schema.has("properties") || schema.has("allOf"):
		return []string{"object"}
	}
	return []string{"any"}
}

var ruleWords = []struct{ key, word string }{
	{"const", "always"}, {"enum", "one of"}, {"default", "default"}, {"minimum", "at least"}, {"maximum", "at most"},
	{"minLength", "characters, at least"}, {"maxLength", "characters, at most"}, {"minItems", "items, at least"},
	{"maxItems", "items, at most"}, {"pattern", "pattern"},
}

func rules(schema node) (list []Rule) {
	for _, r := range ruleWords {
		if !schema.has(r.key) {
			continue
		}
		var values []string
		if r.key == "enum" {
			for _, v := range schema.get("enum").list() {
				values = append(values, compact(v.value))
			}
		} else {
			values = []string{strings.Trim(compact(schema.get(r.key).value), `"`)}
		}
		list = append(list, Rule{r.word, values})
	}
	if schema.get("uniqueItems").text() == "true" {
		list = append(list, Rule{"all different", nil})
	}
	return list
}

// sample returns an example of a schema: its own, or one composed of the examples of
// its parts.
func (s shaper) sample(schema node) any {
	if schema.has("example") {
		return schema.get("example").value
	}
	schema, _ = s.doc.follow(schema)
	for _, key := range []string{"example", "const", "default"} {
		if schema.has(key) {
			return schema.get(key).value
		}
	}
	for _, key := range []string{"examples", "enum"} {
		if list := schema.get(key).list(); len(list) > 0 {
			return list[0].value
		}
	}
	for _, key := range []string{"allOf", "anyOf"} {
		if list := schema.get(key).list(); len(list) > 0 {
			return s.sample(list[0])
		}
	}
	types := append(schema.get("type").texts(), schema.get("type").text())
	if slices.Contains(types, "null") {
		return nil
	}
	switch types[0] {
	case "array":
		return []any{s.sample(schema.get("items"))}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "string":
		return "…"
	}
	object := yaml.MapSlice{}
	for _, p := range schema.get("properties").pairs() {
		object = append(object, yaml.MapItem{Key: p.key, Value: s.sample(p.node)})
	}
	return object
}

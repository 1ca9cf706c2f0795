package api

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
)

// OpenAPIJSON returns a document in YAML as JSON, with its keys in their order.
func OpenAPIJSON(text []byte) ([]byte, error) {
	doc, err := ordered(text)
	if err != nil {
		return nil, err
	}
	return documentJSON(doc)
}

// OpenAPI30 converts a document of OpenAPI 3.1 in YAML, as openapi.yaml is, to OpenAPI 3.0
// in JSON, which more generators read. It refuses every field and keyword that it does not
// know, so that no later edit of openapi.yaml makes a document that says something else.
func OpenAPI30(text []byte) ([]byte, error) {
	doc, err := ordered(text)
	if err != nil {
		return nil, err
	}
	converted, err := objects["document"].convert("#", doc)
	if err != nil {
		return nil, err
	}
	components, _ := get(converted, "components").(yaml.MapSlice)
	schemas, _ := get(components, "schemas").(yaml.MapSlice)
	nameTypes(converted, schemas)
	return documentJSON(converted)
}

func ordered(text []byte) (doc yaml.MapSlice, err error) {
	err = yaml.UnmarshalWithOptions(text, &doc, yaml.UseOrderedMap())
	return doc, err
}

func documentJSON(doc yaml.MapSlice) ([]byte, error) {
	var compact, indented bytes.Buffer
	if err := writeJSON(&compact, doc); err != nil {
		return nil, err
	}
	if err := json.Indent(&indented, compact.Bytes(), "", " "); err != nil {
		return nil, err
	}
	return append(indented.Bytes(), '\n'), nil
}

// writeJSON writes a value of YAML.
func writeJSON(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case yaml.MapSlice:
		b.WriteByte('{')
		for i, f := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, fmt.Sprint(f.Key)); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := writeJSON(b, f.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false) // it is not embedded in a page
		return enc.Encode(v)
	}
	return nil
}

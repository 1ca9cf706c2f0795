package docs

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml"
)

// lineWidth is the maximum length of an object or array that is written on one line.
const lineWidth = 64

// pretty returns a value as JSON for people: keys in their order, short values on one
// line.
func pretty(v any) string { return write(v, "", true) }

// compact returns a value as JSON on one line.
func compact(v any) string { return write(v, "", false) }

func write(v any, indent string, tall bool) string {
	var open, closing string
	var parts []string
	inner := indent + "  "
	switch v := v.(type) {
	case yaml.MapSlice:
		open, closing = "{", "}"
		for _, item := range v {
			parts = append(parts, scalar(item.Key)+": "+write(item.Value, inner, tall))
		}
	case []any:
		open, closing = "[", "]"
		for _, item := range v {
			parts = append(parts, write(item, inner, tall))
		}
	default:
		return scalar(v)
	}
	flat := open + strings.Join(parts, ", ") + closing
	if !tall || len(flat) <= lineWidth && !strings.Contains(flat, "\n") {
		return flat
	}
	return open + "\n" + inner + strings.Join(parts, ",\n"+inner) + "\n" + indent + closing
}

func scalar(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the page escapes
	if err := enc.Encode(v); err != nil {
		return `"` + err.Error() + `"`
	}
	return strings.TrimSpace(b.String())
}

package evolution

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strings"
)

// object is a JSON object. Its numbers are json.Number.
type object = map[string]any

// parseJSON parses one JSON value.
func parseJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the JSON value")
	}
	return v, nil
}

// at returns the value at a path, such as options.delay.
func at(o object, path string) (any, bool) {
	name, rest, more := strings.Cut(path, ".")
	v, has := o[name]
	if !more || !has {
		return v, has
	}
	inner, is := v.(object)
	if !is {
		return nil, false
	}
	return at(inner, rest)
}

// lift is where version 1 has what version 2 has at the top of the body. Only values that are no
// objects are lifted from a name that version 2 gives an object.
type lift struct{ from, to string }

// lifted returns a body in the words of version 2. What is there in them already wins.
func lifted(raw object, lifts []lift) object {
	body := maps.Clone(raw)
	if body == nil {
		body = object{}
	}
	for _, l := range lifts {
		if v, has := body[l.to]; has && v != nil && v != "" {
			continue
		}
		v, has := at(raw, l.from)
		if _, is := v.(object); is && objectsOfV2[l.from] {
			continue
		}
		if has {
			body[l.to] = v
		}
	}
	return body
}

// objectsOfV2 are names of version 1's texts that version 2 gives an object.
var objectsOfV2 = map[string]bool{"webhook": true}

// same returns lifts of fields that have the same name within an object.
func same(within string, names ...string) (all []lift) {
	for _, name := range names {
		all = append(all, lift{within + "." + name, name})
	}
	return all
}

func text(o object, name string) string { s, _ := o[name].(string); return s }

func isTrue(o object, name string) bool { b, _ := o[name].(bool); return b }

// whole returns an integer, 0 if there is none.
func whole(o object, name string) int64 {
	n, _ := o[name].(json.Number)
	x, _ := n.Float64()
	return int64(x)
}

func decimal(o object, name string) float64 {
	n, _ := o[name].(json.Number)
	x, _ := n.Float64()
	return x
}

// texts returns the texts of a list.
func texts(o object, name string) []string {
	items, _ := o[name].([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		if s, is := item.(string); is {
			out = append(out, s)
		}
	}
	return out
}

// objects returns the objects of a list.
func objects(o object, name string) (out []object) {
	items, _ := o[name].([]any)
	for _, item := range items {
		if m, is := item.(object); is {
			out = append(out, m)
		}
	}
	return out
}

func inner(o object, name string) object { m, _ := o[name].(object); return m }

package access_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"chatcast/server/api/apitest"
)

// shape is what an operation takes.
type shape struct {
	op     apitest.Operation
	path   []string          // "/v1/tags/{id}" in segments
	keys   map[string]string // of values, by "path id", "query tagId" or "body tagId"
	order  []string          // the places of keys that name objects; the first is the root
	body   map[string]any    // the example; nil: none
	list   bool              // the body is a list, which may be empty
	schema string            // of the body
}

// needsAccounts reports whether the operation needs a messenger with accounts.
func needsAccounts(op apitest.Operation) bool {
	return slices.Contains(op.Events(), "messengerStatus") || slices.Contains(op.Tags, "groups") || slices.Contains(op.Tags, "account") || strings.HasSuffix(op.Path, "/state") || strings.HasSuffix(op.Path, "{messengerType}/settings") ||
		strings.HasSuffix(op.Path, "/contacts/check") || strings.HasSuffix(op.Path, "/block")
}

// shapeOf reads the shape of an operation from the reference.
func (w *world) shapeOf(op apitest.Operation) *shape {
	s := &shape{op: op, path: strings.Split(op.Path, "/"), keys: map[string]string{}}
	for i, segment := range s.path {
		name, isParam := strings.CutPrefix(segment, "{")
		if !isParam {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		key := w.key(s.path[i-1]+"/"+name, name)
		if key == "messengerType" && needsAccounts(op) {
			key = "pairing/messengerType"
		}
		if key == "" {
			w.t.Errorf("%s: no value for the parameter %s", op, name)
		}
		s.add("path "+name, key, w)
	}
	inPath := len(s.order)
	defer func() { // parameters and fields come in no order; the company is the root
		slices.SortFunc(s.order[inPath:], func(a, b string) int {
			return cmp.Compare(strings.Replace(a, "companyId", "", 1), strings.Replace(b, "companyId", "", 1))
		})
	}()
	for _, ref := range op.Parameters {
		if p := ref.Value; p.In == "query" && (p.Required || len(w.values[p.Name]) > 1) {
			s.add("query "+p.Name, p.Name, w)
		}
	}
	content := op.Body()
	media := content["application/json"]
	if media == nil {
		return s
	}
	if media.Schema.Value.Type.Is("array") {
		s.list = true
		return s
	}
	s.body = map[string]any{}
	s.take(media.Schema, w)
	return s
}

// inItems are the names of objects in lists of a body, such as access and licenses.
var inItems = []string{"userId", "licenseId"}

// take adds the fields of a body: those of the example, and all that name objects.
func (s *shape) take(ref *openapi3.SchemaRef, w *world) {
	s.schema = ref.Ref[strings.LastIndexByte(ref.Ref, '/')+1:]
	parts := append(openapi3.SchemaRefs{ref}, ref.Value.AllOf...)
	for _, part := range parts {
		if s.schema == "" {
			s.schema = part.Ref[strings.LastIndexByte(part.Ref, '/')+1:]
		}
		if example, ok := part.Value.Example.(map[string]any); ok {
			for k, v := range example {
				s.body[k] = v
			}
		}
	}
	for _, v := range s.body {
		list, _ := v.([]any)
		for _, item := range list {
			inner, _ := item.(map[string]any)
			for name := range inner {
				if slices.Contains(inItems, name) {
					s.add("item "+name, name, w)
				}
			}
		}
	}
	for _, part := range parts {
		for name := range part.Value.Properties {
			key := w.key(s.schema+"."+name, name)
			if _, given := s.body[name]; given && key != "" || len(w.values[key]) > 1 && s.op.Method == "POST" {
				s.add("body "+name, key, w)
			}
		}
	}
}

// key returns the first name that has values, "" when none has.
func (w *world) key(names ...string) string {
	for _, name := range names {
		if w.values[name] != nil {
			return name
		}
	}
	return ""
}

func (s *shape) add(place, key string, w *world) {
	s.keys[place] = key
	if len(w.values[key]) > 1 && !slices.Contains(s.order, place) {
		s.order = append(s.order, place)
	}
}

// choice tells from which company, or absent, the value of a place comes; or which key
// stands in for it.
type choice func(place string) (from, key string)

// value returns the value of a place for a person.
func (w *world) value(s *shape, place string, p *person, choose choice) any {
	from, key := choose(place)
	if key == "" {
		key = s.keys[place]
	}
	v, ok := w.values[key][from]
	if !ok {
		v = w.values[key][alpha]
	}
	if f, ok := v.(perPerson); ok {
		v = f(p)
	}
	return v
}

// request makes a request of an operation.
func (w *world) request(s *shape, p *person, choose choice) *http.Request {
	w.t.Helper()
	path := slices.Clone(s.path)
	for i, segment := range path {
		if strings.HasPrefix(segment, "{") {
			path[i] = url.PathEscape(fmt.Sprint(w.value(s, "path "+strings.Trim(segment, "{}"), p, choose)))
		}
	}
	query := url.Values{}
	for place := range s.keys {
		name, ok := strings.CutPrefix(place, "query ")
		from, _ := choose(place)
		if filter := len(w.values[s.keys[place]]) > 1 && name != "companyId"; ok && !(filter && from == alpha) { // a list shows most without a filter
			query.Set(name, fmt.Sprint(w.value(s, place, p, choose)))
		}
	}
	target := w.base + strings.Join(path, "/")
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var body io.Reader
	if s.list {
		body = strings.NewReader("[]")
	}
	if s.body != nil {
		text, err := json.Marshal(w.filled(s, "", s.body, p, choose))
		if err != nil {
			w.t.Fatal(err)
		}
		body = strings.NewReader(string(text))
	}
	r, err := http.NewRequestWithContext(w.t.Context(), s.op.Method, target, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", p.token)
	}
	w.asked++ // an address of its own, so that no throttle of one stands in the way
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", w.asked>>16&255, w.asked>>8&255, w.asked&255))
	return r
}

// filled returns a body with the values of its places. Objects inside lists have the keys
// of their own names.
func (w *world) filled(s *shape, inside string, object map[string]any, p *person, choose choice) map[string]any {
	out := map[string]any{}
	for name, v := range object {
		switch v := v.(type) {
		case map[string]any:
			out[name] = v
		case []any:
			list := make([]any, len(v))
			for i, item := range v {
				list[i] = item
				if inner, ok := item.(map[string]any); ok && inside == "" {
					list[i] = w.filled(s, name, inner, p, choose)
				}
			}
			out[name] = list
		default:
			out[name] = v
		}
		if inside != "" && slices.Contains(inItems, name) {
			out[name] = w.value(s, "item "+name, p, choose)
		}
	}
	if inside == "" {
		for place, key := range s.keys {
			if name, ok := strings.CutPrefix(place, "body "); ok && key != "" {
				out[name] = w.value(s, place, p, choose)
				if key == "IDs.ids" {
					out[name] = []any{out[name]}
				}
			}
		}
	}
	return out
}

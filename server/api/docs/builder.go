package docs

import (
	"cmp"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"chatcast/crm"
	"chatcast/server/api"
)

// view is the data of page.html.
type view struct {
	Title, Base       string
	Intro, EventIntro template.HTML
	Schemes           []Field
	SharedErrors      []SharedError
	Groups            []Group
	Channels          []Channel
	Events            []Event
	Frames            []Event
	Schemas           []Schema
}

// SharedError is an answer that many operations share.
type SharedError struct {
	Status string
	Codes  []string
	Note   template.HTML
}

// Group holds the operations of one tag.
type Group struct {
	Anchor, Name string
	Note         template.HTML
	Operations   []Operation
}

// Schema describes one named object.
type Schema struct {
	Anchor, Name string
	Note         template.HTML
	Fields       []Field
	Sample       string
}

// builder builds the view from both references.
type builder struct {
	http, async  document
	base         string
	places       map[string]string // links by the text of an operation, event or file
	sharedErrors map[string]bool   // names of the answers listed in the table of shared errors
}

func newView(base string) (v view, err error) {
	b := &builder{base: base}
	if b.http.root, err = read(api.OpenAPI()); err != nil {
		return v, fmt.Errorf("openapi.yaml: %w", err)
	}
	if b.async.root, err = read(api.AsyncAPI()); err != nil {
		return v, fmt.Errorf("asyncapi.yaml: %w", err)
	}
	b.findPlaces()
	v = view{Title: b.http.root.get("info", "title").text(), Base: base}
	v.Intro = b.prose(b.http.root.get("info", "description").text())
	v.EventIntro = b.prose(b.async.root.get("info", "description").text())
	for _, p := range b.http.root.get("components", "securitySchemes").pairs() {
		v.Schemes = append(v.Schemes, Field{Name: p.key, Type: scheme(p.node), Note: b.note(p.get("description").text())})
	}
	v.SharedErrors = b.listSharedErrors()
	v.Groups = b.groups()
	v.Schemas = b.schemas()
	v.Channels = b.channels()
	v.Events, v.Frames, err = b.messages()
	return v, err
}

// scheme describes how a security scheme is used.
func scheme(n node) string {
	if n.get("type").text() == "http" {
		return "header Authorization: Bearer <accessToken>"
	}
	return n.get("in").text() + " " + n.get("name").text()
}

var notInAnchors = regexp.MustCompile(`[^A-Za-z0-9]+`)

// anchor returns the anchor of a place on the page. It is made only of the words of that
// place, so that links stay valid when the page grows.
func anchor(words ...string) string {
	return strings.Trim(notInAnchors.ReplaceAllString(strings.Join(words, "-"), "-"), "-")
}

var methods = []string{"get", "head", "post", "put", "patch", "delete"}

// findPlaces collects the places that code in descriptions may link to.
func (b *builder) findPlaces() {
	b.places = map[string]string{}
	for _, file := range []string{"/openapi.yaml", "/openapi-3.0.json", "/asyncapi.yaml"} {
		b.places[file] = file
	}
	for _, path := range b.http.root.get("paths").pairs() {
		for _, p := range path.pairs() {
			if slices.Contains(methods, p.key) {
				b.places[strings.ToUpper(p.key)+" "+path.key] = "#" + anchor(p.key, path.key)
			}
		}
	}
	for _, event := range crm.EventNames() {
		b.places[event] = "#event-" + event
	}
	delete(b.places, "message") // a word of many meanings
}

// listSharedErrors lists the errors of components/responses in the API's own shape.
func (b *builder) listSharedErrors() (list []SharedError) {
	b.sharedErrors = map[string]bool{}
	status := map[string]string{}
	for _, path := range b.http.root.get("paths").pairs() {
		for _, op := range path.pairs() {
			for _, r := range op.get("responses").pairs() {
				_, name := b.http.follow(r.node)
				status[name] = r.key
			}
		}
	}
	for _, r := range b.http.root.get("components", "responses").pairs() {
		parts := r.get("content", "application/json", "schema", "properties", "error", "allOf").list()
		if len(parts) != 2 || status[r.key] == "" {
			continue
		}
		b.sharedErrors[r.key] = true
		code := parts[1].get("properties", "code")
		codes := code.get("enum").texts()
		if only := code.get("const").text(); only != "" {
			codes = []string{only}
		}
		list = append(list, SharedError{status[r.key], codes, b.note(r.get("description").text())})
	}
	list = append(list, SharedError{"405", []string{"ApiMethodNotAllowedError"}, b.note("The path does not know the method; `Allow` names those it knows")})
	slices.SortStableFunc(list, func(x, y SharedError) int { return cmp.Compare(x.Status, y.Status) })
	return list
}

func (b *builder) groups() (list []Group) {
	at := map[string]int{}
	for i, tag := range b.http.root.get("tags").list() {
		name := tag.get("name").text()
		at[name] = i
		list = append(list, Group{Anchor: anchor("tag", name), Name: name, Note: b.prose(tag.get("description").text())})
	}
	for _, path := range b.http.root.get("paths").pairs() {
		for _, op := range path.pairs() {
			if !slices.Contains(methods, op.key) {
				continue
			}
			for _, tag := range op.get("tags").texts() {
				g := &list[at[tag]]
				g.Operations = append(g.Operations, b.operation(path, op))
			}
		}
	}
	return list
}

// schemas lists the named objects. Named strings and numbers are described where they
// are used.
func (b *builder) schemas() (list []Schema) {
	s := shaper{builder: b, doc: b.http}
	for _, p := range b.http.root.get("components", "schemas").pairs() {
		if p.has("properties") {
			list = append(list, Schema{
				Anchor: "schema-" + p.key, Name: p.key, Note: b.prose(p.get("description").text()),
				Fields: s.fields(p.node), Sample: pretty(s.sample(p.node)),
			})
		}
	}
	slices.SortFunc(list, func(x, y Schema) int { return cmp.Compare(x.Name, y.Name) })
	return list
}

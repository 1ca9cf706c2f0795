package docs

import (
	"html/template"
	"net/url"
	"strings"
)

// Operation is one method of one path.
type Operation struct {
	Anchor, Method, Path, Summary string
	ID                            string // of the operation, for generators
	Open                          bool   // needs no access token
	Access                        string
	Key                           []string // the rights that a key needs; empty: no key may
	Note                          template.HTML
	Parameters                    []Field
	Body                          []Field
	BodyTypes                     []string
	BodyRequired                  bool
	Answers                       []Answer
	SharedErrors                  []string // statuses that the table of shared errors explains
	Events                        []string
	Call                          string // how to try it
	Sample                        string // the answer on success
}

// Answer is a status that is not in the table of shared errors.
type Answer struct {
	Status, Type string
	Note         template.HTML
	Fields       []Field
}

func (b *builder) operation(path, op pair) Operation {
	o := Operation{
		Anchor: anchor(op.key, path.key), Method: strings.ToUpper(op.key), Path: path.key,
		Summary: op.get("summary").text(), Note: b.prose(op.get("description").text()),
		Open:   op.has("security") && len(op.get("security").list()) == 0,
		ID:     op.get("operationId").text(),
		Access: op.get("x-access").text(), Key: op.get("x-key").texts(), Events: op.get("x-events").texts(),
	}
	s := shaper{builder: b, doc: b.http}
	var params []node
	for _, p := range append(path.get("parameters").list(), op.get("parameters").list()...) {
		p, _ = b.http.follow(p)
		params = append(params, p)
		f := s.field(p.get("name").text(), p.get("schema"))
		f.Type = p.get("in").text() + ", " + f.Type
		f.Required = p.get("required").text() == "true"
		if said := p.get("description").text(); said != "" {
			f.Note = b.note(said)
		}
		if p.has("example") {
			f.Rules = append(f.Rules, Rule{"for example", []string{p.get("example").text()}})
		}
		o.Parameters = append(o.Parameters, f)
	}
	content := op.get("requestBody", "content")
	for _, c := range content.pairs() {
		o.BodyTypes = append(o.BodyTypes, c.key)
	}
	o.BodyRequired = op.get("requestBody", "required").text() == "true"
	var body any
	if len(o.BodyTypes) > 0 {
		schema := content.get(o.BodyTypes[0], "schema")
		s.depth = 4
		o.Body, body = s.fields(schema), s.sample(schema)
		if media := content.get(o.BodyTypes[0]); media.has("example") {
			body = media.get("example").value
		}
	}
	b.answers(&o, op)
	o.Call = b.call(o, params, body)
	return o
}

// answers fills in the answers of the operation.
func (b *builder) answers(o *Operation, op pair) {
	s := shaper{builder: b, doc: b.http, depth: 2}
	for _, p := range op.get("responses").pairs() {
		r, name := b.http.follow(p.node)
		if b.sharedErrors[name] {
			o.SharedErrors = append(o.SharedErrors, p.key)
			continue
		}
		a := Answer{Status: p.key, Note: b.note(r.get("description").text())}
		for _, h := range r.get("headers").pairs() {
			f := s.field(h.key, h.get("schema"))
			f.Type = "header, " + f.Type
			if said := h.get("description").text(); said != "" {
				f.Note = b.note(said)
			}
			a.Fields = append(a.Fields, f)
		}
		for _, c := range r.get("content").pairs() {
			a.Type = c.key
			a.Fields = append(a.Fields, s.fields(c.get("schema"))...)
			if o.Sample == "" && p.key < "300" && c.key == "application/json" {
				o.Sample = pretty(s.sample(c.get("schema")))
			}
		}
		o.Answers = append(o.Answers, a)
	}
}

// call returns a command that calls the operation; for a socket, a line of JavaScript.
func (b *builder) call(o Operation, params []node, body any) string {
	s := shaper{builder: b, doc: b.http}
	path, query := o.Path, ""
	for _, p := range params {
		value, name := strings.Trim(compact(s.sample(p)), `"`), p.get("name").text()
		if !p.has("example") {
			value = strings.Trim(compact(s.sample(p.get("schema"))), `"`)
		}
		switch p.get("in").text() {
		case "path":
			path = strings.ReplaceAll(path, "{"+name+"}", value)
		case "query":
			if p.get("required").text() == "true" {
				query += "&" + name + "=" + url.QueryEscape(value)
			}
		}
	}
	if query != "" {
		path += "?" + query[1:]
	}
	for _, a := range o.Answers {
		if a.Status == "101" {
			return "new WebSocket('" + strings.Replace(b.base, "http", "ws", 1) + path + "')"
		}
	}
	target := b.base + path
	if query != "" {
		target = quote(target)
	}
	line := "curl " + map[string]string{"HEAD": "-I "}[o.Method]
	if m := o.Method; m != "GET" && m != "HEAD" && (m != "POST" || body == nil) {
		line += "-X " + m + " "
	}
	line += target
	if !o.Open {
		line += " \\\n  -H \"Authorization: $TOKEN\""
	}
	if body != nil {
		line += " \\\n  -H 'Content-Type: application/json' \\\n  -d " + quote(pretty(body))
	}
	return line
}

// quote quotes text for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

package evolution

import (
	"strconv"
	"strings"
)

// Routes lists the dialect's routes.
func Routes() (all []string) {
	for _, rt := range allRoutes() {
		for method := range strings.FieldsSeq(rt.methods) {
			all = append(all, method+" "+rt.path)
		}
	}
	return all
}

// AllowPrivateLinks lets files be fetched from any address.
func (e *Evolution) AllowPrivateLinks() { e.links = newLinkClient(true) }

// RouteOfTest is a method of a route, with values in JSON that its fields take.
type RouteOfTest struct {
	Method, Path string
	Fields       map[string]string
}

// RoutesWithFields lists the routes whose bodies have fields.
func RoutesWithFields() (all []RouteOfTest) {
	for _, rt := range allRoutes() {
		if rt.body == nil {
			continue
		}
		fields := map[string]string{}
		for _, f := range rt.body {
			fields[f.name] = f.example()
		}
		for method := range strings.FieldsSeq(rt.methods) {
			all = append(all, RouteOfTest{method, rt.path, fields})
		}
	}
	return all
}

// example returns a value that the field takes, in JSON.
func (f field) example() string {
	switch {
	case f.name == "number":
		return `"351912000001"`
	case f.name == "remoteJid":
		return `"351912000001@s.whatsapp.net"`
	case f.name == "groupJid":
		return `"120363000000000001@g.us"`
	case len(f.enum) > 0:
		return strconv.Quote(f.enum[0])
	}
	switch f.kind {
	case kindString:
		return `"x"`
	case kindBoolean:
		return "true"
	case kindArray:
		return "[" + f.items.example() + "]"
	case kindObject:
		inner := make([]string, len(f.fields))
		for i, g := range f.fields {
			inner[i] = strconv.Quote(g.name) + ":" + g.example()
		}
		return "{" + strings.Join(inner, ",") + "}"
	}
	return "0"
}

package access_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models"
)

const account = "grWhatsApp" // a line with an account

// dialectPeople are programs whose keys have one right, or all: of the company, of its bridge, and
// of its line with an account.
func dialectPeople() (list []*person) {
	for _, of := range []key{{company: alpha}, {company: alpha, line: true}, {company: alpha, line: true, on: account}} {
		name := "company"
		if of.line {
			name = cmp.Or(of.on, line)
		}
		for _, right := range crm.KeyRights() {
			only := of
			only.rights = []string{right}
			list = append(list, &person{name: name + ", only " + right, key: &only})
		}
		of.rights = crm.KeyRights()
		list = append(list, &person{name: name + ", all rights", key: &of})
	}
	return list
}

// dialectRoute is a route of a dialect, and who may use it.
type dialectRoute struct {
	request string // method and path; {name} is replaced by a value
	body    string
	rights  string // that a key needs, with + between; or one of those with | between; "": any key
	status  int    // of those who may
	of      string // "": a line; "list": what the key sees; "company": keys of companies
	on      string // the messenger of the line; "": the bridge
}

// want returns the status that somebody gets.
func (d *dialectRoute) want(p *person, lineKeys int) int {
	k := p.key
	switch {
	case k == nil, p.refused != 0:
		return http.StatusUnauthorized
	case d.of == "company" && k.line:
		return lineKeys
	case d.of == "" && (k.company != alpha || k.line && cmp.Or(k.on, line) != cmp.Or(d.on, line)):
		return http.StatusNotFound
	case d.rights == "":
	case !slices.ContainsFunc(strings.Split(d.rights, "|"), func(all string) bool { return k.may(strings.Split(all, "+")) }):
		return http.StatusForbidden
	}
	return d.status
}

// dialect is what differs between the dialects.
type dialect struct {
	*world
	header   string // of the key
	lineKeys int    // what keys of lines get on routes of companies
	strange  string // the body for those who have no key
	fill     func(d *dialectRoute) *strings.Replacer
	cells    int
}

// try sends a request of a route.
func (x *dialect) try(d *dialectRoute, p *person, prefix string) answer {
	x.t.Helper()
	values := x.fill(d)
	method, path, _ := strings.Cut(values.Replace(d.request), " ")
	var body io.Reader = http.NoBody
	if d.body != "" {
		body = strings.NewReader(values.Replace(d.body))
	}
	r, err := http.NewRequestWithContext(x.t.Context(), method, x.base+prefix+path, body)
	if err != nil {
		x.t.Fatal(err)
	}
	if d.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set(x.header, p.token)
	}
	x.asked++
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", x.asked>>16&255, x.asked>>8&255, x.asked&255))
	x.cells++
	res, err := x.client.Do(r)
	if err != nil {
		x.t.Fatalf("%s as %s: %v", d.request, p.name, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// row tries a route as everybody: those first who may not, which changes nothing.
func (x *dialect) row(d *dialectRoute, prefix string, people []*person) {
	x.t.Helper()
	x.saved.restore(x.t)
	events := x.saved.events(x.t)
	var may []*person
	for _, p := range people {
		want := d.want(p, x.lineKeys)
		if want < 400 || want == d.status {
			may = append(may, p)
			continue
		}
		got := x.try(d, p, prefix)
		if got.status != want || want == http.StatusUnauthorized && got.body != x.strange {
			x.t.Errorf("%s%s as %s: %s, want %d", prefix, d.request, p.name, got, want)
		}
	}
	if tables := x.saved.changed(x.t); len(tables) > 0 {
		x.t.Errorf("%s%s: what is refused changes %v", prefix, d.request, tables)
	}
	if n := x.saved.events(x.t); n != events {
		x.t.Errorf("%s%s: what is refused causes %d events", prefix, d.request, n-events)
	}
	for _, p := range may {
		if got := x.try(d, p, prefix); got.status != d.status {
			x.t.Errorf("%s%s as %s: %s, want %d", prefix, d.request, p.name, got, d.status)
		}
		if pairs(d.request) {
			x.disconnect(alpha)
		}
		if !strings.HasPrefix(d.request, "GET") || pairs(d.request) {
			x.saved.restore(x.t)
		}
	}
	if len(may) == 0 {
		x.t.Errorf("%s may be used by nobody", d.request)
	}
}

// pairs reports whether a request may begin to pair a line.
func pairs(request string) bool {
	return slices.ContainsFunc([]string{"/connect", "/restart", "/qr"}, func(part string) bool { return strings.Contains(request, part) })
}

// complete checks that the tables have all routes of the router that begin so.
func (x *dialect) complete(routes []dialectRoute, ours func(method, path string) (route string, ok bool)) {
	x.t.Helper()
	has := map[string]bool{}
	for _, d := range routes {
		request, _, _ := strings.Cut(d.request, "?")
		has[anyName(request)] = true
	}
	for _, r := range x.p.Components().Router.Routes() {
		if route, ok := ours(r.Method, r.Path); ok && !has[anyName(route)] {
			x.t.Errorf("%s is not tried", route)
		}
	}
}

// lineOf is the company's line of a messenger.
func lineOf(messenger string) crm.Line {
	return crm.Line{LicenseID: companyIDs[alpha] + 100, Messenger: messenger}
}

// instance returns the instance of a line.
func (w *world) instance(on crm.Line) crm.InstanceView {
	w.t.Helper()
	v, ok := w.p.Components().Rules.InstanceDirectory().Of(on)
	if !ok {
		w.t.Fatalf("%v has no instance", on)
	}
	return v
}

// endpoint makes a webhook of the bridge in the words of MultiWA.
func (w *world) endpoint() string {
	w.t.Helper()
	made, err := w.p.Components().Rules.AddEndpoint(context.Background(), crm.Actor{UserID: 8001}, lineOf(line),
		crm.EndpointInput{Format: crm.FormatMultiWA, URL: w.hooks, Events: []string{"*"}, Enabled: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.PublicID
}

// newDialectWorld is newWorld with the keys for dialects, and the instances of all lines.
func newDialectWorld(t *testing.T, url string) *world {
	t.Helper()
	w := newWorld(t, url, dialectPeople()...)
	if err := w.p.Components().Store.Tx(t.Context(), addInstances); err != nil {
		t.Fatal(err)
	}
	if err := w.p.Components().Rules.LoadInstances(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// addInstances makes the instances of lines that were made without them.
func addInstances(tx *models.Tx) error {
	for i, of := range []struct{ company, messenger string }{{alpha, line}, {alpha, account}, {bravo, account}} {
		added, err := tx.CreateInstance(&models.Instance{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), CompanyID: companyIDs[of.company], LicenseID: companyIDs[of.company] + 100, MessengerType: of.messenger,
			Name: of.company + "-" + of.messenger, Shape: crm.ShapeV2, Settings: "{}", Websocket: `{"enabled":true}`, CreatedAtMS: 1, UpdatedAtMS: 1,
		})
		if err != nil || !added {
			return fmt.Errorf("%v: %w", of, err)
		}
	}
	return nil
}

// named returns the people with these names.
func (w *world) named(names ...string) (list []*person) {
	w.t.Helper()
	for _, p := range w.people {
		if slices.Contains(names, p.name) {
			list = append(list, p)
		}
	}
	if len(list) != len(names) {
		w.t.Fatalf("not all of %q are there", names)
	}
	return list
}

// dialectCallers returns those whom the routes of dialects tell apart.
func (w *world) dialectCallers() (list []*person) {
	for _, p := range dialectPeople() {
		list = append(list, w.named(p.name)...)
	}
	return append(list, w.named("owner", "host", "line key", "strange key", "revoked key", "nobody", "forged token")...)
}

// text returns a value of the company as a text.
func (w *world) text(key string) string { return fmt.Sprint(w.values[key][alpha]) }

// messageWithFile returns the id of the message with the file that furnish has sent.
func (w *world) messageWithFile() string {
	w.t.Helper()
	owner := &e2e.Client{T: w.t, Base: w.p.Base, Token: "token of owner"}
	var page struct {
		Items []struct {
			ID      string
			Message struct{ File *struct{ Link string } }
		}
	}
	owner.Must("GET", fmt.Sprintf("/v1/licenses/%d/messengers/%s/chats/79990000001/messages", companyIDs[alpha]+100, line), nil, &page)
	for _, m := range page.Items {
		if m.Message.File != nil {
			return m.ID
		}
	}
	w.t.Fatalf("no message has a file: %+v", page)
	return ""
}

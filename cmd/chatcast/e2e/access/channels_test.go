package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"chatcast/channels"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/server/api"
)

// channelRights is the closed vocabulary of x-access in asyncapi.yaml.
var channelRights = map[string]func(p *person, j *job, userID int64) bool{
	"employee": func(_ *person, j *job, _ int64) bool { return j != nil },
	"own":      func(p *person, j *job, userID int64) bool { return j != nil && p.id == userID },
	"readAll": func(_ *person, j *job, _ int64) bool {
		return j != nil && (j.manages() || j.read && !j.onlyMine)
	},
}

// channelKind is a channel of asyncapi.yaml.
type channelKind struct {
	Address *string
	Access  string `yaml:"x-access"`
}

func channelKinds(t *testing.T) map[string]channelKind {
	t.Helper()
	var doc struct{ Channels map[string]channelKind }
	if err := yaml.Unmarshal(api.AsyncAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Channels
}

// TestChannels asks for every kind of channel, as every person, at all doors: for a
// signature by POST and GET, and for the journal. What is of another company and what does
// not exist are refused in the same words.
func TestChannels(t *testing.T) {
	w := newWorld(t, "")
	families := map[channels.Family]bool{}
	sockets := map[*person]string{}
	for _, p := range w.people {
		_, sockets[p] = e2e.ConnectSocket(t, w.p.Base)
	}
	cells, entered := 0, map[string]bool{}
	for name, kind := range channelKinds(t) {
		if kind.Address == nil {
			if kind.Access != "anyone" {
				t.Errorf("%s has x-access %q", name, kind.Access)
			}
			continue
		}
		may := channelRights[kind.Access]
		if may == nil {
			t.Errorf("%s has x-access %q, which is no right", name, kind.Access)
			continue
		}
		for _, p := range w.people {
			for _, of := range []string{"own", alpha, bravo, absent} {
				channel, company, userID := w.channel(*kind.Address, of, p)
				parsed, err := channels.Parse(channel)
				if err != nil {
					t.Fatal(err)
				}
				families[parsed.Room().Family] = true
				j := p.jobs[company]
				if kind.Access == "own" && !strings.Contains(*kind.Address, "{companyId}") {
					j = &job{} // the user alone counts
				}
				want := http.StatusForbidden
				if p.refused != 0 {
					want = p.refused
				} else if p.key == nil && may(p, j, userID) || p.key != nil && p.key.enters(kind, parsed, company) {
					want = http.StatusOK
					entered[name] = true
				}
				for door, got := range w.doors(channel, sockets[p], p) {
					cells++
					want := want
					if p.key != nil && p.refused == 0 && strings.HasSuffix(door, "/tickets") { // which are for browsers
						want = http.StatusForbidden
					}
					if got.status != want {
						t.Errorf("%s as %s, %s (%s): %s, want %d", door, p.name, channel, kind.Access, got, want)
					}
				}
			}
			w.alike(*kind.Address, sockets[p], p)
		}
		if !entered[name] {
			t.Errorf("nobody has entered %s", name)
		}
	}
	for _, family := range []channels.Family{channels.Line, channels.Company, channels.Person, channels.CompanyUser} {
		if !families[family] {
			t.Errorf("the family %v is not among the channels of asyncapi.yaml", family)
		}
	}
	t.Logf("%d cells", cells)
}

// enters reports whether a key enters a channel: keys read lines, and are in no list of people.
func (k *key) enters(kind channelKind, name channels.Name, company string) bool {
	return kind.Access == "readAll" && name.Kind == channels.Private && company == k.company && k.may([]string{crm.KeyRead})
}

// channel returns the name of a channel of a company: with the person's own id, or with
// that of a colleague.
func (w *world) channel(address, of string, p *person) (name, company string, userID int64) {
	company = of
	userID = int64(4711)
	switch of {
	case "own":
		company, userID = alpha, p.id
	case alpha, bravo:
		userID = w.values["userId"][of].(int64)
	}
	get := func(key string) string { return fmt.Sprint(w.values[key][company]) }
	return strings.NewReplacer("{companyId}", get("companyId"), "{licenseId}", get("licenseId"), "{messengerType}", get("messengerType"),
		"{userId}", fmt.Sprint(max(userID, 1))).Replace(address), company, userID
}

// doors asks for a channel everywhere.
func (w *world) doors(channel, socketID string, p *person) map[string]answer {
	w.t.Helper()
	form := url.Values{"socket_id": {socketID}, "channel_name": {channel}}.Encode()
	ask := func(method, target, body string) answer {
		return w.ask(method, w.base+target, "application/x-www-form-urlencoded", p.token, body)
	}
	all := map[string]answer{
		"POST /broadcasting/auth": ask("POST", "/broadcasting/auth", form),
		"GET /broadcasting/auth":  ask("GET", "/broadcasting/auth?"+form, ""),
	}
	if !strings.HasPrefix(channel, "presence-") { // has no events
		all["GET /v1/events"] = ask("GET", "/v1/events?channel="+url.QueryEscape(channel), "")
		all["GET /v1/events/stream"] = w.stream(channel, p)
		named, err := json.Marshal(map[string]string{"channel": channel})
		if err != nil {
			w.t.Fatal(err)
		}
		all["POST /v1/events/tickets"] = w.ask("POST", w.base+"/v1/events/tickets", "application/json", p.token, string(named))
	}
	return all
}

// stream asks for a stream, and leaves when it has begun.
func (w *world) stream(channel string, p *person) answer {
	w.t.Helper()
	ctx, leave := context.WithCancel(w.t.Context())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "GET", w.base+e2e.StreamPath(channel, ""), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if p.token != "" {
		r.Header.Set("Authorization", p.token)
	}
	res, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	res.Header.Del("Date")
	if res.StatusCode == http.StatusOK {
		return answer{res.StatusCode, res.Header, ""}
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// alike requires the refusals of what is of another company, and of what does not exist, to
// be equal byte for byte; so are those of other kinds of channels with such names.
func (w *world) alike(address, socketID string, p *person) {
	w.t.Helper()
	none, _, _ := w.channel(address, absent, p)
	refusal := w.doors(none, socketID, p)
	for _, of := range []string{alpha, bravo} {
		name, _, _ := w.channel(address, of, p)
		base := name[strings.IndexByte(name, '-')+1:]
		for _, other := range []string{name, "private-encrypted-" + base, "private-cache-" + base, "presence-cache-" + base, "private-encrypted-cache-" + base, "private-" + base + ".x"} {
			for door, got := range w.doors(other, socketID, p) {
				if got.ok() && other == name {
					continue // entitled, as TestChannels has checked
				}
				if want, asked := refusal[door]; asked && fmt.Sprint(got.status, got.header, got.body) != fmt.Sprint(want.status, want.header, want.body) {
					w.t.Errorf("%s as %s, %s: %s, but %s: %s", door, p.name, other, got, none, want)
				}
			}
		}
	}
}

// TestOtherChannels asks for channels of apps, which the CRM signs for nobody.
func TestOtherChannels(t *testing.T) {
	w := newWorld(t, "")
	_, socketID := e2e.ConnectSocket(t, w.p.Base)
	for _, p := range w.people {
		want := http.StatusForbidden
		if p.refused != 0 {
			want = p.refused
		}
		for _, channel := range []string{"news", "private-orders", "presence-room", "private-encrypted-x", "cache-news", fmt.Sprintf("#server-to-user-%d", p.id)} {
			for door, got := range w.doors(channel, socketID, p) {
				if got.status != want && !(strings.Contains(door, "/v1/events") && got.status == http.StatusUnprocessableEntity) {
					t.Errorf("%s as %s, %s: %s, want %d", door, p.name, channel, got, want)
				}
				if json.Valid([]byte(got.body)) && strings.Contains(got.body, `"auth"`) {
					t.Errorf("%s as %s, %s: a signature: %s", door, p.name, channel, got)
				}
			}
		}
	}
}

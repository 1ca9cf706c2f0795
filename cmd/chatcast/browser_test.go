package main

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// site is what the pages of testdata/browser are filled in with.
type site struct {
	Library, Cluster string // of pusher-js
	Host, Port       string
	Token            string
	Channels         string // a JSON array
}

func (r *running) site(token string) site {
	host, port, _ := net.SplitHostPort(r.Address())
	return site{Library: "pusher-js", Host: host, Port: port, Token: token}
}

// TestCompleteExample runs the page of ChatApp's documentation, "Complete example
// code", of which only hosts, ports, TLS, token and the script's address are
// changed, and causes by REST every event that it binds.
func TestCompleteExample(t *testing.T) {
	for name, with := range map[string]site{
		"pusher-js 7": {Library: "pusher-js-7"},
		"pusher-js 8": {Library: "pusher-js", Cluster: "eu"}, // which does not start without
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, testConfig(t))
			owner := p.signIn(t)
			owner.goOnline(685) // before the page: whether it sees its own user come would be a race
			bea, beaID := owner.hire(p)
			values := p.site(owner.token)
			values.Library, values.Cluster = with.Library, with.Cluster
			tab := openPage(t, "complete-example.html", values)
			tab.subscribed(4)

			for _, line := range []string{whatsApp, telegram} {
				actOnLine(owner, line)
			}
			actOnQuickResponses(owner)
			bea.goOnline(beaID)

			want := []string{"employeeStatus", "quickResponse", "quickResponseList"}
			for _, messenger := range []string{"grWhatsApp", "telegram"} {
				for _, event := range []string{"message", "message", "messageStatus", "chatTag", "chatTag"} {
					want = append(want, event+" "+messenger)
				}
			}
			slices.Sort(want)
			var got []string
			tab.wait("all events of the page's bindings", func(logged []json.RawMessage, _ []string) bool {
				got = got[:0]
				for _, l := range logged {
					var args []payload
					if json.Unmarshal(l, &args) != nil || len(args) != 1 {
						got = append(got, string(l))
						continue
					}
					meta := args[0].Payload.Meta
					got = append(got, strings.TrimSpace(meta.Type+" "+meta.MessengerType))
				}
				return len(got) >= len(want)
			})
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("the page logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// actOnLine causes message (in and out), messageStatus and chatTag (add and
// destroy) on one line.
func actOnLine(c *client, line string) {
	c.t.Helper()
	const chat = "79990001122"
	c.must("POST", line+"/inbound", inbound("1001", chat, "Hello"), nil)
	var sent struct{ ID any }
	c.must("POST", line+"/chats/"+chat+"/messages/text", map[string]any{"text": "Good day"}, &sent)
	c.must("POST", line+"/inbound", map[string]any{"statuses": []any{
		map[string]any{"id": sent.ID, "chat": map[string]any{"id": chat}, "type": "delivered", "time": 1700000000},
	}}, nil)
	var tag struct{ ID int64 }
	c.must("POST", "/v1/tags", map[string]any{"name": "tag of " + line, "color": "#123df55"}, &tag)
	c.must("POST", line+"/chats/"+chat+"/tags", map[string]any{"tagId": tag.ID}, nil)
	c.must("DELETE", fmt.Sprintf("%s/chats/%s/tags/%d", line, chat, tag.ID), nil, nil)
}

func actOnQuickResponses(c *client) {
	c.t.Helper()
	var list struct{ ID int64 }
	c.must("POST", "/v1/quickResponseLists", map[string]any{"name": "Greetings", "sort": 100}, &list)
	c.must("POST", fmt.Sprintf("/v1/quickResponseLists/%d/quickResponses", list.ID),
		map[string]any{"name": "Hello", "sort": 100, "text": "Hello there", "keywords": "hi hello", "enableAI": true}, nil)
}

// TestLaravelEcho listens with Laravel Echo's defaults and a Bearer token, in two
// pages of two people.
func TestLaravelEcho(t *testing.T) {
	p := start(t, testConfig(t))
	owner := p.signIn(t)
	bea, _ := owner.hire(p)

	first := openPage(t, "echo.html", p.site(owner.token))
	first.sees("here", `["here",[{"id":685,"name":"Owner"}]]`)
	first.sees("refused", `["refused",403]`)
	first.subscribed(2)

	second := openPage(t, "echo.html", p.site(bea.token))
	second.wait("both people to be here", func(logged []json.RawMessage, _ []string) bool {
		return slices.ContainsFunc(logged, func(l json.RawMessage) bool {
			return strings.HasPrefix(string(l), `["here",`) && strings.Contains(string(l), `"Owner"`) && strings.Contains(string(l), `"Bea"`)
		})
	})
	second.subscribed(2)
	first.sees("joining", `"name":"Bea"`)

	owner.must("POST", whatsApp+"/inbound", inbound("1", "79990001122", "Hello Echo"), nil)
	for _, tab := range []*tab{first, second} {
		tab.sees("message", `"text":"Hello Echo"`)
	}
	second.close()
	first.sees("leaving", `"name":"Bea"`)
	for _, l := range first.logs() {
		if strings.HasPrefix(string(l), `["error"`) || strings.HasPrefix(string(l), `["page error"`) {
			t.Errorf("the page met an error: %s", l)
		}
	}
}

// sees waits until the page has logged something that begins with word and
// holds part.
func (b *tab) sees(word, part string) {
	b.t.Helper()
	b.wait(word+" with "+part, func(logged []json.RawMessage, _ []string) bool {
		return slices.ContainsFunc(logged, func(l json.RawMessage) bool {
			return strings.HasPrefix(string(l), `["`+word+`"`) && strings.Contains(string(l), part)
		})
	})
}

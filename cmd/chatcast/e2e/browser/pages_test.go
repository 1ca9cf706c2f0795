package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestCompleteExample runs the page "Complete example code" of ChatApp's documentation,
// with only hosts, ports, TLS, token and the script's address changed, and causes by
// REST every event that it binds.
func TestCompleteExample(t *testing.T) {
	for name, with := range map[string]e2e.Site{
		"pusher-js 7": {Library: "pusher-js-7"},
		"pusher-js 8": {Library: "pusher-js", Cluster: "eu"}, // it does not start without a cluster
	} {
		t.Run(name, func(t *testing.T) {
			p := e2e.Start(t, e2e.Config(t))
			owner := p.SignIn(t)
			owner.GoOnline(685) // before the page opens: whether it sees this event would be a race
			bea, beaID := owner.Hire(p)
			values := p.Site(owner.Token)
			values.Library, values.Cluster = with.Library, with.Cluster
			tab := e2e.OpenPage(t, "complete-example.html", values)
			tab.Subscribed(4)

			for _, line := range []string{e2e.WhatsAppPath, e2e.TelegramPath} {
				actOnLine(owner, line)
			}
			actOnQuickResponses(owner)
			bea.GoOnline(beaID)

			want := []string{"employeeStatus", "quickResponse", "quickResponseList"}
			for _, messenger := range []string{"grWhatsApp", "telegram"} {
				for _, event := range []string{"message", "message", "messageStatus", "chatTag", "chatTag"} {
					want = append(want, event+" "+messenger)
				}
			}
			slices.Sort(want)
			var got []string
			tab.Wait("all events of the page's bindings", func(logged []json.RawMessage, _ []string) bool {
				got = got[:0]
				for _, l := range logged {
					var args []e2e.Payload
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
func actOnLine(c *e2e.Client, line string) {
	c.T.Helper()
	const chat = "79990001122"
	c.Must("POST", line+"/inbound", e2e.Inbound("1001", chat, "Hello"), nil)
	var sent struct{ ID any }
	c.Must("POST", line+"/chats/"+chat+"/messages/text", map[string]any{"text": "Good day"}, &sent)
	c.Must("POST", line+"/inbound", map[string]any{"statuses": []any{
		map[string]any{"id": sent.ID, "chat": map[string]any{"id": chat}, "type": "delivered", "time": 1700000000},
	}}, nil)
	var tag struct{ ID int64 }
	c.Must("POST", "/v1/tags", map[string]any{"name": "tag of " + line, "color": "#123df55"}, &tag)
	c.Must("POST", line+"/chats/"+chat+"/tags", map[string]any{"tagId": tag.ID}, nil)
	c.Must("DELETE", fmt.Sprintf("%s/chats/%s/tags/%d", line, chat, tag.ID), nil, nil)
}

func actOnQuickResponses(c *e2e.Client) {
	c.T.Helper()
	var list struct{ ID int64 }
	c.Must("POST", "/v1/quickResponseLists", map[string]any{"name": "Greetings", "sort": 100}, &list)
	c.Must("POST", fmt.Sprintf("/v1/quickResponseLists/%d/quickResponses", list.ID),
		map[string]any{"name": "Hello", "sort": 100, "text": "Hello there", "keywords": "hi hello", "enableAI": true}, nil)
}

// TestLaravelEcho listens with Laravel Echo's defaults and a Bearer token, in two pages
// of two users.
func TestLaravelEcho(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	bea, _ := owner.Hire(p)

	first := e2e.OpenPage(t, "echo.html", p.Site(owner.Token))
	first.Sees("here", `["here",[{"id":685,"name":"Owner"}]]`)
	first.Sees("refused", `["refused",403]`)
	first.Subscribed(2)

	second := e2e.OpenPage(t, "echo.html", p.Site(bea.Token))
	second.Wait("both people to be here", func(logged []json.RawMessage, _ []string) bool {
		return slices.ContainsFunc(logged, func(l json.RawMessage) bool {
			return strings.HasPrefix(string(l), `["here",`) && strings.Contains(string(l), `"Owner"`) && strings.Contains(string(l), `"Bea"`)
		})
	})
	second.Subscribed(2)
	first.Sees("joining", `"name":"Bea"`)

	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("1", "79990001122", "Hello Echo"), nil)
	for _, tab := range []*e2e.Tab{first, second} {
		tab.Sees("message", `"text":"Hello Echo"`)
	}
	second.Close()
	first.Sees("leaving", `"name":"Bea"`)
	for _, l := range first.Logs() {
		if strings.HasPrefix(string(l), `["error"`) || strings.HasPrefix(string(l), `["page error"`) {
			t.Errorf("the page met an error: %s", l)
		}
	}
}

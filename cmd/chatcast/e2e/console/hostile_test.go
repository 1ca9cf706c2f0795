package console

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// hostile returns text with script in it, as somebody may write it or use it as a name.
func hostile(where string) string {
	return `<img src=x onerror="window.ran='` + where + `'"><script>window.ran='` + where + `'</script>{{7*7}}` + "javascript:window.ran=1"
}

// TestConsoleHostileText checks that script in names, messages, tags and files is shown
// as text everywhere.
func TestConsoleHostileText(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Bootstrap.Company.Name, cfg.Bootstrap.License.Name = hostile("company"), hostile("licence")
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"name": hostile("employee")}, nil)
	owner.Must("PATCH", "/v1/me", map[string]any{"name": hostile("me")}, nil)
	var tag struct{ ID int64 }
	owner.Must("POST", "/v1/tags", map[string]any{"name": hostile("tag"), "color": "#123df55"}, &tag)
	owner.Must("POST", "/v1/levels", map[string]any{"name": hostile("level")}, nil)

	d := openConsole(t, p.Base, desktop)
	d.enter()
	mallory := person{hostile("customer"), "79990001122"}
	mallory.writes(owner, "M1", hostile("text"))
	mallory.brings(owner, "M2", "document", map[string]any{"caption": hostile("caption"), "file": map[string]any{"link": "https://files.example.com/a.pdf", "name": hostile("file")}})
	mallory.brings(owner, "M3", "location", map[string]any{"location": map[string]any{"name": hostile("place"), "address": hostile("address"), "latitude": 1, "longitude": 2}})
	mallory.brings(owner, "M4", "contact", map[string]any{"contact": map[string]any{"name": hostile("contact"), "phone": "79990003344"}})
	mallory.brings(owner, "M5", "poll", map[string]any{"poll": map[string]any{"question": hostile("poll"), "options": []string{`<script>window.ran='option'</script>`, "b"}}})
	mallory.brings(owner, "M6", "hologram", map[string]any{"text": hostile("unknown kind")})
	chat := e2e.WhatsAppPath + "/chats/" + mallory.phone
	owner.Must("POST", chat+"/tags", map[string]any{"tagId": tag.ID}, nil)
	owner.Must("PUT", chat+"/responsible", map[string]any{"id": beaID}, nil)
	var sent struct{ ID any }
	owner.Must("POST", chat+"/messages/text", map[string]any{"text": hostile("answer")}, &sent)
	owner.Must("POST", e2e.WhatsAppPath+"/inbound", map[string]any{"statuses": []any{map[string]any{
		"id": sent.ID, "chat": map[string]any{"id": mallory.phone}, "type": "failed", "time": 1700000000, "error": map[string]any{"code": hostile("code"), "message": hostile("failure")},
	}}}, nil)
	d.said("", "failed: ")

	d.harmless("Live", "text", "customer", "caption", "tag", "answer")
	for range 3 {
		d.press("k")
		d.press("\r")
		d.until("the payload", `document.querySelector('[data-test="detail"] [role="tree"]')`)
		d.harmless("a payload")
	}
	d.click("button", "Close")

	d.click("link", "Send")
	d.click("link", "…"+mallory.name+"…")
	d.until("the messages", `document.querySelector('[role="log"]').innerText.includes("window.ran='answer'")`)
	d.harmless("Send", "customer", "text", "caption", "file", "place", "contact", "poll", "option", "answer", "tag", "employee")
	if links := e2e.Evaluate[[]string](d.Tab, `[...document.querySelectorAll('a')].map((a) => a.href).filter((h) => !/^https?:/.test(h))`); len(links) > 0 {
		t.Errorf("links lead to %q", links)
	}
	d.Picture("hostile-send")

	d.click("link", "Connect")
	d.until("a snippet", `document.querySelector('[role="tabpanel"] pre')`)
	d.harmless("Connect", "licence")
	d.click("link", "Server")
	d.until("who is looking", `document.querySelector('[data-test="server"]').innerText.includes("window.ran='me'")`)
	d.harmless("Server", "me")
	d.click("button", "Account of …")
	d.until("the account", `document.querySelector('dialog[open]').innerText.includes('Sign out')`)
	d.Picture("hostile-account")
	d.harmless("the account", "me", "company")
	d.faultless()
	d.askedOnly()
}

// brings posts a message of any kind.
func (p person) brings(c *e2e.Client, id, kind string, message map[string]any) {
	c.T.Helper()
	c.Must("POST", e2e.WhatsAppPath+"/inbound", map[string]any{"messages": []any{map[string]any{
		"id": id, "chat": map[string]any{"id": p.phone, "phone": p.phone, "name": p.name}, "type": kind, "message": message,
		"fromUser": map[string]any{"id": p.phone, "name": p.name},
	}}}, nil)
}

// harmless fails if any hostile text was more than text, or if one of shown is not
// visible.
func (d *consoleTab) harmless(where string, shown ...string) {
	d.T.Helper()
	if ran := e2e.Evaluate[string](d.Tab, `String(window.ran ?? '')`); ran != "" {
		d.T.Errorf("in %s the script of the %s ran", where, ran)
	}
	if made := e2e.Evaluate[int](d.Tab, `document.querySelectorAll('img[src="x"], [onerror], body script').length`); made > 0 {
		d.T.Errorf("in %s text has become %d elements", where, made)
	}
	text := e2e.Evaluate[string](d.Tab, `[document.body.innerText, ...[...document.querySelectorAll('input, textarea')].map((i) => i.value)].join('\n')`)
	for _, what := range shown {
		if !strings.Contains(text, "window.ran='"+what+"'") {
			d.T.Errorf("in %s the %s is not to be seen as text", where, what)
		}
	}
	if wide := e2e.Evaluate[[]string](d.Tab, `[...document.querySelectorAll('main, main > div, main > section, main > div > section')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className)`); len(wide) > 0 {
		d.T.Errorf("in %s a long name makes %q wider than its place", where, wide)
	}
	if strings.Contains(text, "}}49") || strings.Contains(text, "49javascript") {
		d.T.Errorf("in %s a text was computed", where)
	}
}

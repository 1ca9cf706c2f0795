package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/api/apitest"
)

// TestConsoleStates checks the accessibility of states outside the story: empty pages,
// dialogs, and actions that the user may not take.
func TestConsoleStates(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	d := openConsole(t, p.Base, desktop)
	d.signIn(e2e.OwnerEmail, "not the password")
	d.untilText("is wrong")
	d.onAllScreens("sign-in-refused")
	d.enter()
	d.click("link", "Send")
	d.find("button", "Write as this customer")
	d.onAllScreens("send-empty")
	d.click("button", "Write as this customer")
	d.until("the chat", `document.querySelector('[role="log"]').innerText.includes('Is my order ready?')`)
	d.click("button", "Customer (sandbox)")
	d.onAllScreens("send-as-customer")
	d.click("button", "New customer")
	d.find("dialog", "New customer")
	d.Do(phone.emulated())
	d.until("one thing at a time", `!document.querySelector('.chats').checkVisibility()`)
	d.find("textbox", "Phone, with country code") // the list is hidden, its dialog is not
	d.onAllScreens("send-new-customer")
	d.press(kb.Escape)

	d.click("link", "Live")
	d.said("", "Is my order ready?")
	d.press("?")
	d.find("dialog", "Keyboard")
	d.onAllScreens("live-keys")
	d.press(kb.Escape)
	d.click("button", "Connection: …")
	d.untilText("What pusher-js is doing")
	d.onAllScreens("connection")
	d.press(kb.Escape)
	d.press("p/nothing has this")
	d.until("an empty list", `document.querySelector('[data-test="filtered"]')`)
	d.onAllScreens("live-filtered-paused")
	d.faultless("403")

	// An operator with write access: only owners and admins pair the line, and write as a
	// customer.
	d = openConsole(t, p.Base, desktop)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	d.click("link", "Send")
	d.click("link", "…Anna Petrova…")
	d.find("textbox", "Answer…")
	d.untilText("Owners and admins can also write here as the customer")
	if d.look("button", "Pair this line")+d.look("button", "New customer")+d.look("button", "Customer (sandbox)") != 0 {
		t.Error("an operator is offered to pair the line, or to write as a customer")
	}
	d.onAllScreens("send-operator")
	d.faultless("403")

	// An operator with read access only.
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"licenses": []any{map[string]any{"licenseId": 1229, "write": false}}}, nil)
	d = openConsole(t, p.Base, desktop)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	if d.look("link", "Server") != 0 {
		t.Error("an operator is offered the server's figures")
	}
	d.click("link", "Send")
	d.click("link", "…Anna Petrova…")
	d.until("the messages", `document.querySelector('[role="log"]').innerText.includes('Is my order ready?')`)
	d.untilText("You may read this line and not write on it")
	if d.look("textbox", "Answer…")+d.look("button", "Pair this line")+d.look("button", "New customer") != 0 {
		t.Error("who may only read is offered to write, to pair, or to write as a customer")
	}
	d.onAllScreens("send-read-only")
	e2e.Evaluate[any](d.Tab, `location.hash = '#/server'`)
	d.untilText("Only owners and admins")
	d.onAllScreens("server-forbidden")
	d.faultless("403")
}

// TestConsoleNotBuilt opens the page shown in place of a console that was not built.
func TestConsoleNotBuilt(t *testing.T) {
	srv := httptest.NewServer(e2e.ConsoleOf(t, fstest.MapFS{}, func(*apitest.Operation, *http.Request, int) {}))
	t.Cleanup(srv.Close)
	d := &consoleTab{Tab: e2e.OpenTab(t, srv.URL+"/"), base: srv.URL}
	d.untilText("make run")
	d.onAllScreens("not-built")
	d.faultless()
}

// onAllScreens checks the current page on each screen, in each colour scheme.
func (d *consoleTab) onAllScreens(page string) {
	d.T.Helper()
	for _, on := range screens {
		d.Do(on.emulated())
		d.Picture(fmt.Sprintf("%s-%s-%s", page, on.name, on.scheme))
		name := fmt.Sprintf("%s, %s, %s", page, on.name, on.scheme)
		d.accessible(name, on.rules()...)
		d.fitsTheScreen(name)
	}
	d.Do(desktop.emulated())
}

var axeSource = sync.OnceValues(func() (string, error) {
	b, err := os.ReadFile("../testdata/browser/node_modules/axe-core/axe.min.js")
	return string(b), err
})

// accessible fails for serious or critical findings of axe, and logs the others. It
// applies these rules, or all.
func (d *consoleTab) accessible(page string, rules ...string) {
	d.T.Helper()
	axe, err := axeSource()
	if err != nil {
		d.T.Fatalf("the npm packages of the browser tests are missing (make setup gets them): %v", err)
	}
	if !e2e.Evaluate[bool](d.Tab, `window.axe !== undefined`) {
		e2e.Evaluate[any](d.Tab, axe+"\n;null")
	}
	type finding struct {
		ID, Impact, Help string
		Nodes            []string
	}
	var found []finding
	options := map[string]any{"resultTypes": []string{"violations"}, "preload": false}
	if len(rules) > 0 {
		options["runOnly"] = rules
	}
	given, err := json.Marshal(options)
	if err != nil {
		d.T.Fatal(err)
	}
	answer := e2e.Evaluate[json.RawMessage](d.Tab, `axe.run(document, `+string(given)+`).then((r) =>
		r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary)})))`)
	if err := json.Unmarshal(answer, &found); err != nil {
		d.T.Fatal(err)
	}
	for _, f := range found {
		text := fmt.Sprintf("axe on %s: %s %s, %s: %q", page, f.Impact, f.ID, f.Help, f.Nodes)
		if f.Impact == "serious" || f.Impact == "critical" {
			d.T.Error(text)
		} else {
			d.T.Log(text)
		}
	}
}

// fitsTheScreen fails if the page is wider than the screen: nobody should have to scroll
// sideways.
func (d *consoleTab) fitsTheScreen(page string) {
	d.T.Helper()
	if wide := e2e.Evaluate[int](d.Tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		d.T.Errorf("%s is %d pixels wider than the screen", page, wide)
	}
}

// weight fails if the page has loaded over 200 kB so far, as sent over the wire.
func (d *consoleTab) weight() {
	d.T.Helper()
	e2e.Evaluate[any](d.Tab, `null`) // events before this call have been received
	d.seen.Lock()
	defer d.seen.Unlock()
	sum := 0.0
	for _, bytes := range d.seen.loaded {
		sum += bytes
	}
	d.T.Logf("the first load is %.1f kB, in %d requests", sum/1000, len(d.seen.loaded))
	if sum == 0 || sum > 200_000 {
		d.T.Errorf("the first load is %.1f kB, want less than 200", sum/1000)
	}
}

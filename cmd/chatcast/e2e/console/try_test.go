package console

import (
	"regexp"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleSnippets checks that the code shown by Connect is what is copied and what
// the small page runs, and that it receives events of this server.
func TestConsoleSnippets(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.allow("clipboard-read", "clipboard-write")
	access, _ := d.tokens()
	d.click("link", "Connect")
	for _, name := range []string{"pusher-js 8", "pusher-js 7", "Laravel Echo"} {
		d.front()
		d.click("tab", name)
		const code = `document.querySelector('[role="tabpanel"] pre').innerText.trim()`
		d.until("the snippet", `document.querySelector('[role="tab"][aria-selected="true"]').innerText === `+quote(name)+` && `+code+` !== ''`)
		shown := e2e.Evaluate[string](d.Tab, code)
		if strings.Contains(shown, access) || !strings.Contains(shown, "YOUR_ACCESS_TOKEN") {
			t.Errorf("%s shows a token that nobody asked for:\n%s", name, shown)
		}
		d.click("button", "Copy: A page, complete")
		d.until("it to be copied", `document.querySelector('[role="tabpanel"]').innerText.includes('Copied')`)
		if copied := e2e.Evaluate[string](d.Tab, `navigator.clipboard.readText()`); strings.TrimSpace(copied) != shown {
			t.Errorf("%s: copied is\n%s\nshown is\n%s", name, copied, shown)
		}

		opened := d.opens(func() { d.click("button", "Try it") })
		opened.front()
		opened.until("the connection", `document.querySelector('[data-state="connected"]')`)
		// Once more: now the page is watched from its first request.
		e2e.Evaluate[any](opened.Tab, `window.before = true, null`)
		opened.click("button", "Run again")
		opened.until("the subscription", `window.before === undefined && document.querySelector('[role="log"]').innerText.includes('subscribed')`)
		id := strings.ReplaceAll(name, " ", "-")
		anna.writes(owner, id, "Hello, "+name)
		opened.untilText("Hello, " + name)
		run := e2e.Evaluate[string](opened.Tab, `document.querySelector('pre.code, section[aria-labelledby="script"] pre').innerText.trim()`)
		if !strings.Contains(squeeze(shown), squeeze(run)) || !strings.Contains(run, "YOUR_ACCESS_TOKEN") {
			t.Errorf("%s: the page runs\n%s\nthe snippet is\n%s", name, run, shown)
		}
		opened.Picture("try-" + id)
		opened.accessible("/try with " + name)
		opened.faultless()
		opened.askedOnly(access)
	}

	// The snippet contains the token only if the user asks for it.
	d.front()
	d.click("checkbox", "Put my access token in")
	d.until("the token in the snippet", `document.querySelector('[role="tabpanel"] pre').innerText.includes(`+quote(access)+`)`)
	d.untilText("Whoever has it can do what you can")
	for _, name := range []string{"curl", "Go"} {
		d.click("tab", name)
		d.until("its code", `document.querySelector('[role="tab"][aria-selected="true"]').innerText === `+quote(name))
		d.accessible("Connect, " + name)
		d.fitsTheScreen("Connect, " + name)
	}
	d.faultless()
	d.askedOnly(access)
}

var spaces = regexp.MustCompile(`\s+`)

func squeeze(text string) string { return spaces.ReplaceAllString(text, "") }

// TestConsoleTryAlone opens the page without the console: it runs nothing, and says so.
func TestConsoleTryAlone(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, phone)
	for _, address := range []string{"/try", "/try#0123456789abcdef0123456789abcdef", "/try#<img src=x onerror=alert(1)>"} {
		d.visit(address)
		d.until("what to do", `document.querySelector('[data-test="nothing"]')`)
	}
	d.Picture("try-alone")
	d.accessible("/try alone")
	d.click("link", "Open Connect")
	d.find("button", "Sign in")
	d.faultless()
}

package console

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleAccountStandsStill checks that what the account's sheet loads moves nothing
// under a thumb, on all screens.
func TestConsoleAccountStandsStill(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	for range 4 {
		p.SignIn(t)
	}
	d := openConsole(t, p.Base, phone)
	d.enter()
	for _, on := range screens {
		d.Do(on.emulated())
		e2e.Evaluate[any](d.Tab, `(() => { const ask = fetch; window.fetch = async (path, init) => {
			if (String(path).startsWith('/v1/sessions')) await new Promise((done) => { window.answer = done; });
			window.fetch = ask;
			return ask(path, init);
		}; })()`)
		d.click("button", "Account of Owner")
		d.find("button", "Sign out")
		const places = `JSON.stringify([...document.querySelectorAll('dialog[open] :is(button, input, a)')].filter((e) => !e.closest('.sessions')).map((e) => [e.innerText, e.getBoundingClientRect().y]).slice(0, 8))`
		d.rest()
		before := e2e.Evaluate[string](d.Tab, places)
		d.until("a request for the sessions", `window.answer`)
		e2e.Evaluate[any](d.Tab, `window.answer(), window.answer = undefined, null`)
		d.until("the sessions", `document.querySelectorAll('dialog[open] .sessions li').length === 5`)
		if after := e2e.Evaluate[string](d.Tab, places); after != before {
			t.Errorf("%s %s: the sheet moves from %s to %s", on.name, on.scheme, before, after)
		}
		d.Picture("account-" + on.name + "-" + on.scheme)
		d.accessible("account", on.rules()...)
		d.press(kb.Escape)
	}
	d.Do(chromedp.Reload())
	d.faultless()
}

package browser

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/e2e"
)

// TestDocsInABrowser checks the reference on a desktop and on a phone, in light and
// dark: axe objects to nothing, nothing is wider than the screen, and nothing is
// requested from another origin. The pictures are kept with -artifacts.
func TestDocsInABrowser(t *testing.T) {
	axe, err := os.ReadFile("../testdata/browser/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("the npm packages of the browser tests are missing (make setup gets them): %v", err)
	}
	p := e2e.Start(t, e2e.Config(t))
	for _, screen := range []docsScreen{{"desktop", 1440, 900, false}, {"phone", 390, 844, true}} {
		t.Run(screen.name, func(t *testing.T) {
			b := e2e.OpenTab(t, "about:blank")
			size := chromedp.EmulateViewport(screen.width, screen.height)
			if screen.phone {
				size = chromedp.EmulateViewport(screen.width, screen.height, chromedp.EmulateMobile, chromedp.EmulateScale(2))
			}
			b.Do(size, e2e.Prefers("light"), chromedp.Navigate(p.Base+"/docs"))
			e2e.Evaluate[any](b, string(axe)+"\n;null")
			checkDocs(t, b, screen, "light", nil)
			b.Do(e2e.Prefers("dark"))
			checkDocs(t, b, screen, "dark", e2e.SchemeRules)
			if from := e2e.Evaluate[[]string](b, `performance.getEntriesByType('resource').map((e) => e.name).filter((n) => !n.startsWith(location.origin) && !n.startsWith('data:'))`); len(from) > 0 {
				t.Errorf("the page asked for %v", from)
			}
			if logged := e2e.Lines(b.Logs()); strings.Contains(logged, "page error") {
				t.Error(logged)
			}
		})
	}
}

type docsScreen struct {
	name          string
	width, height int64
	phone         bool
}

// checkDocs takes pictures of the open reference and checks it as it is now, with these
// rules of axe, or with all.
func checkDocs(t *testing.T, b *e2e.Tab, screen docsScreen, scheme string, rules []string) {
	t.Helper()
	for _, at := range []struct{ name, hash string }{
		{"top", ""}, {"operation", "post-v1-licenses-licenseId-messengers-messengerType-inbound"}, {"event", "event-message"},
	} {
		e2e.Evaluate[any](b, `location.hash = '`+at.hash+`'`)
		b.Picture(screen.name + "-" + scheme + "-" + at.name)
	}
	if screen.phone {
		e2e.Evaluate[any](b, `document.querySelector('#contents summary').click()`)
		b.Picture(screen.name + "-" + scheme + "-contents")
	}
	if wide := e2e.Evaluate[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		t.Errorf("%s: the page is %d pixels wider than the screen", scheme, wide)
	}
	checkAxe(t, b, scheme, rules)
	if screen.phone {
		e2e.Evaluate[any](b, `document.querySelector('#contents summary').click()`)
	}
}

// TestDocsFinds types into the contents, which then show only matching operations.
func TestDocsFinds(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	b := e2e.OpenTab(t, p.Base+"/docs")
	e2e.Evaluate[any](b, `(() => {
		const box = document.querySelector('.find');
		box.value = 'poll';
		box.dispatchEvent(new Event('input'));
	})()`)
	const shown = `[...document.querySelectorAll('#contents details[open] li:not([hidden]) a')].map((a) => a.hash)`
	got := strings.Join(e2e.Evaluate[[]string](b, shown), " ")
	if want := "#post-v1-licenses-licenseId-messengers-messengerType-chats-chatId-messages-poll"; !strings.Contains(got, want) || strings.Contains(got, "tokens") {
		t.Errorf("found %s, want %s", got, want)
	}
	call := e2e.Evaluate[string](b, `document.querySelector('#post-v1-tokens .call').textContent`)
	if !strings.Contains(call, p.Base+"/v1/tokens") {
		t.Errorf("the example calls another server: %s", call)
	}
}

// TestDocsWithoutScript checks that the contents stand beside the page without a script.
func TestDocsWithoutScript(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	b := e2e.OpenTab(t, "about:blank")
	b.Do(chromedp.EmulateViewport(1440, 900), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(p.Base+"/docs#get-v1-tags"))
	b.Picture("without-script")
	if n := e2e.Evaluate[int](b, `document.querySelectorAll('.find, .copy').length`); n > 0 {
		t.Fatalf("the script ran: %d of its controls are there", n)
	}
	if shown := e2e.Evaluate[bool](b, `document.querySelector('#contents a[href="#introduction"]').checkVisibility()`); !shown {
		t.Error("the contents are not shown")
	}
}

// checkAxe fails the test for everything that axe objects to in the page.
//
// Contrast is what costs axe most. The page has tens of thousands of elements, but few
// kinds, which look the same: axe looks at the contrast of three visible ones of each.
func checkAxe(t *testing.T, b *e2e.Tab, when string, rules []string) {
	t.Helper()
	kinds := e2e.Evaluate[int](b, `(() => {
		const ids = new Map(), kinds = new Map(), seen = new Map();
		for (const e of document.querySelectorAll('*')) {
			const s = getComputedStyle(e), text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
			const look = JSON.stringify([kinds.get(e.parentElement), e.localName, e.getAttribute('class'), text, e.disabled, s.color, s.backgroundColor,
				s.backgroundImage, s.opacity, s.fontSize, s.fontWeight, s.textShadow, s.position, s.filter, s.mixBlendMode]);
			if (!ids.has(look)) ids.set(look, ids.size);
			const kind = ids.get(look);
			kinds.set(e, kind);
			const n = e.checkVisibility() ? (seen.get(kind) ?? 0) + 1 : Infinity;
			if (n <= 3) seen.set(kind, n);
			e.toggleAttribute('data-contrast', n <= 3);
		}
		axe.configure({rules: [{id: 'color-contrast', selector: '[data-contrast]'}]});
		return seen.size;
	})()`)
	if kinds < 50 {
		t.Errorf("%s: the page has only %d kinds of elements", when, kinds)
	}
	options := map[string]any{"resultTypes": []string{"violations"}}
	if rules != nil {
		options["runOnly"] = rules
	}
	given, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	found := e2e.Evaluate[json.RawMessage](b, `axe.run(document, `+string(given)+`).then((r) =>
		r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary)})))`)
	if string(found) != "[]" {
		t.Errorf("%s: axe: %s", when, found)
	}
}

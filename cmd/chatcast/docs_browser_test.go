package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestDocsInABrowser: the reference reads well on a desk and on a phone, in light
// and dark: nothing that axe objects to, nothing wider than the screen, nothing
// asked of another origin. The pictures are kept with -artifacts.
func TestDocsInABrowser(t *testing.T) {
	axe, err := os.ReadFile("testdata/browser/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("the npm packages of the browser tests are missing (make setup gets them): %v", err)
	}
	p := start(t, testConfig(t))
	for _, screen := range []struct {
		name          string
		width, height int64
		phone         bool
	}{{"desktop", 1440, 900, false}, {"phone", 390, 844, true}} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(screen.name+" "+scheme, func(t *testing.T) {
				b := openTab(t, "about:blank")
				size := chromedp.EmulateViewport(screen.width, screen.height)
				if screen.phone {
					size = chromedp.EmulateViewport(screen.width, screen.height, chromedp.EmulateMobile, chromedp.EmulateScale(2))
				}
				b.do(size, prefers(scheme), chromedp.Navigate(p.base+"/docs"))
				b.picture(screen.name + "-" + scheme + "-top")
				b.do(chromedp.Navigate(p.base + "/docs#post-v1-licenses-licenseId-messengers-messengerType-inbound"))
				b.picture(screen.name + "-" + scheme + "-operation")
				b.do(chromedp.Navigate(p.base + "/docs#event-message"))
				b.picture(screen.name + "-" + scheme + "-event")
				if screen.phone {
					evaluate[any](b, `document.querySelector('#contents summary').click()`)
					b.picture(screen.name + "-" + scheme + "-contents")
				}
				if wide := evaluate[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
					t.Errorf("the page is %d pixels wider than the screen", wide)
				}
				if from := evaluate[[]string](b, `performance.getEntriesByType('resource').map((e) => e.name).filter((n) => !n.startsWith(location.origin) && !n.startsWith('data:'))`); len(from) > 0 {
					t.Errorf("the page asked for %v", from)
				}
				checkAxe(t, b, string(axe))
				if logged := lines(b.logs()); strings.Contains(logged, "page error") {
					t.Error(logged)
				}
			})
		}
	}
}

// TestDocsFinds: what is typed into the contents leaves the operations that match.
func TestDocsFinds(t *testing.T) {
	p := start(t, testConfig(t))
	b := openTab(t, p.base+"/docs")
	evaluate[any](b, `(() => {
		const box = document.querySelector('.find');
		box.value = 'poll';
		box.dispatchEvent(new Event('input'));
	})()`)
	const shown = `[...document.querySelectorAll('#contents details[open] li:not([hidden]) a')].map((a) => a.hash)`
	got := strings.Join(evaluate[[]string](b, shown), " ")
	if want := "#post-v1-licenses-licenseId-messengers-messengerType-chats-chatId-messages-poll"; !strings.Contains(got, want) || strings.Contains(got, "tokens") {
		t.Errorf("found %s, want %s", got, want)
	}
	call := evaluate[string](b, `document.querySelector('#post-v1-tokens .call').textContent`)
	if !strings.Contains(call, p.base+"/v1/tokens") {
		t.Errorf("the example calls another server: %s", call)
	}
}

// TestDocsWithoutScript: the contents stand beside the page all the same.
func TestDocsWithoutScript(t *testing.T) {
	p := start(t, testConfig(t))
	b := openTab(t, "about:blank")
	b.do(chromedp.EmulateViewport(1440, 900), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(p.base+"/docs#get-v1-tags"))
	b.picture("without-script")
	if n := evaluate[int](b, `document.querySelectorAll('.find, .copy').length`); n > 0 {
		t.Fatalf("the script ran: %d of its controls are there", n)
	}
	if shown := evaluate[bool](b, `document.querySelector('#contents a[href="#introduction"]').checkVisibility()`); !shown {
		t.Error("the contents are not shown")
	}
}

// prefers is the colour scheme that the page is told to be preferred.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// evaluate is what an expression is in the page; promises are waited for.
func evaluate[T any](b *tab, expression string) (value T) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) (err error) {
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		return err
	}))
	return value
}

// picture keeps what the tab shows as an artifact of the test.
func (b *tab) picture(name string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o644)
	}))
}

// checkAxe fails for everything that axe objects to in the page.
func checkAxe(t *testing.T, b *tab, axe string) {
	t.Helper()
	evaluate[any](b, axe+"\n;null")
	found := evaluate[json.RawMessage](b, `axe.run(document, {resultTypes: ['violations']}).then((r) =>
		r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary)})))`)
	if string(found) != "[]" {
		t.Errorf("axe: %s", found)
	}
}

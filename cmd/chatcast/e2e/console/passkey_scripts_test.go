package console

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/e2e"
)

// meetsScripts checks that the extension is not on other pages of the server, and does
// nothing on the console's page for a script that acts by itself.
func (u *passkeyUser) meetsScripts() {
	u.T.Helper()
	for path, there := range map[string]bool{"/try": false, "/docs": false, "/": true} {
		ctx, cancel := chromedp.NewContext(u.Ctx)
		other := &consoleTab{Tab: e2e.AdoptTab(u.T, ctx, cancel), base: u.base}
		other.Do(chromedp.Navigate(u.base + path))
		if is := e2e.Evaluate[bool](other.Tab, `document.documentElement.dataset.passkeyExtension !== undefined`); is != there {
			u.T.Errorf("%s: the extension is there: %v", path, is)
		}
		if there {
			if why := other.asks(false, "none"); why != "gesture" {
				u.T.Errorf("a script without a click: %q", why)
			}
		}
		_ = chromedp.Cancel(ctx)
	}
	u.front()
}

// asksOnce checks that another page of the console opens no second page of the extension
// while one, confirm, asks the person, also when the extension's worker has ended since.
func (u *passkeyUser) asksOnce(confirm *consoleTab) {
	u.T.Helper()
	other, done := u.another()
	defer done()
	open := len(u.pages())
	busy := func(what string) {
		u.T.Helper()
		if why := other.asks(true, "none"); why != "busy" {
			u.T.Errorf("%s: %q", what, why)
		}
		if n := len(u.pages()); n != open {
			u.T.Errorf("%s: %d pages are open, want %d", what, n, open)
		}
	}
	busy("while a page asks")
	confirm.stopsWorkers()
	busy("after the worker has ended")
}

// asksTogether checks that only one of two pages of the console that ask together opens a
// page of the extension, although the browser does not count that page among the
// extension's contexts before it has loaded.
func (u *passkeyUser) asksTogether() {
	u.T.Helper()
	e2e.Evaluate[any](u.worker(), `{
		const contexts = chrome.runtime.getContexts, complete = new Set();
		chrome.tabs.onUpdated.addListener((tab, change) => change.status === 'complete' && complete.add(tab));
		chrome.runtime.getContexts = async (what) => (await contexts.call(chrome.runtime, what)).filter((one) => complete.has(one.tabId));
	}`)
	var others []*consoleTab
	for range 2 {
		other, done := u.another()
		defer done()
		others = append(others, other)
	}
	before, answers := len(u.pages()), make(chan string, len(others))
	opened := u.opens(func() {
		for _, other := range others {
			go func() { answers <- other.asks(true, u.owner.Token) }()
		}
	})
	if why := <-answers; why != "busy" {
		u.T.Errorf("the second page that asks: %q", why)
	}
	if n := len(u.pages()); n != before+1 {
		u.T.Errorf("%d pages are open, want %d", n, before+1)
	}
	opened.Close()
	if why := <-answers; why != "cancelled" {
		u.T.Errorf("the first page that asks: %q", why)
	}
}

// another opens the console's page in another tab.
func (u *passkeyUser) another() (other *consoleTab, done func()) {
	u.T.Helper()
	ctx, cancel := chromedp.NewContext(u.Ctx)
	other = &consoleTab{Tab: e2e.AdoptTab(u.T, ctx, cancel), base: u.base}
	other.Do(chromedp.Navigate(u.base + "/"))
	return other, func() { _ = chromedp.Cancel(ctx) }
}

// stopsWorkers ends the workers of the tab's origin, as the browser does when they are idle.
func (d *consoleTab) stopsWorkers() {
	d.T.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, serviceworker.Enable, cdp.Empty{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, serviceworker.StopAllWorkers, cdp.Empty{})
		return err
	}))
}

// worker returns the extension's service worker, which was just needed.
func (u *passkeyUser) worker() *e2e.Tab {
	u.T.Helper()
	all, err := chromedp.Targets(u.Ctx)
	if err != nil {
		u.T.Fatal(err)
	}
	i := slices.IndexFunc(all, func(info *target.Info) bool {
		return info.Type == "service_worker" && strings.HasPrefix(info.URL, "chrome-extension://")
	})
	if i < 0 {
		u.T.Fatal("the extension has no worker")
	}
	ctx, cancel := chromedp.NewContext(u.Ctx, chromedp.WithTargetID(all[i].TargetID))
	return e2e.AdoptTab(u.T, ctx, cancel)
}

// asks has a script of the page ask the extension, as after a click or without one, and
// returns what the extension says.
func (d *consoleTab) asks(clicked bool, token string) (why string) {
	d.T.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		asked := cdpruntime.EvaluateParams{AwaitPromise: new(true), ReturnByValue: new(true), UserGesture: new(clicked), Expression: `((token) => new Promise((done) => {
			addEventListener('message', (e) => e.data?.passkey === 'used' && e.data.id === 999 && done(e.data.error));
			postMessage({ passkey: 'use', id: 999, line: { licenseId: 1229, messenger: 'grWhatsApp' }, token }, location.origin);
		}))("` + token + `")`}
		got, err := cdp.Call(ctx, target, cdpruntime.Evaluate, asked)
		if err == nil {
			err = json.Unmarshal(got.Result.Value, &why)
		}
		return err
	}))
	return why
}

// listens has a script of the page keep every message.
func (u *passkeyUser) listens() {
	u.T.Helper()
	e2e.Evaluate[any](u.Tab, `{ window.heard = []; addEventListener('message', (e) => window.heard.push(e.data)); }`)
}

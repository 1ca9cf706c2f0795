package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"chatcast/server/api/apitest"
)

// The browser is started once, by the first test that needs it; each page is a
// tab with a profile of its own.
var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func openBrowser(t testing.TB) context.Context {
	t.Helper()
	browser.once.Do(func() {
		path := ""
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
			if p, err := exec.LookPath(name); err == nil {
				path = p
				break
			}
		}
		options := []chromedp.ExecAllocatorOption{
			chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
			chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-background-timer-throttling", true),
			chromedp.Flag("disable-renderer-backgrounding", true), chromedp.Flag("disable-backgrounding-occluded-windows", true),
			chromedp.WSURLReadTimeout(patience), // and a new user-data-dir, which is chromedp's own habit
		}
		if path != "" {
			options = append(options, chromedp.ExecPath(path))
		}
		if os.Geteuid() == 0 {
			options = append(options, chromedp.NoSandbox)
		}
		alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(alloc)
		browser.ctx = ctx
		browser.cancel = func() {
			_ = chromedp.Cancel(ctx) // waits for the browser to go
			cancel()
			cancelAlloc()
		}
		browser.err = chromedp.Do(ctx)
	})
	if browser.err != nil {
		t.Fatalf("Chromium does not start (make setup gets it): %v", browser.err)
	}
	return browser.ctx
}

func closeBrowser() {
	if browser.cancel != nil {
		browser.cancel()
	}
}

// tab is one page in the browser. What it logs and what its sockets receive is
// collected, in order.
type tab struct {
	t     testing.TB
	ctx   context.Context
	close func()

	strange bool // what comes is not only of the catalogue: a test publishes events of its own

	mu      sync.Mutex
	logged  []json.RawMessage // console.log's arguments, a JSON array for each call
	frames  []string          // received on web sockets
	changed chan struct{}     // closed and replaced at each addition
}

// hook hands what the page logs to the test, as JSON; the page itself stays as it is.
const hook = `(() => {
	const log = console.log.bind(console);
	console.log = (...args) => { report(JSON.stringify(args)); log(...args); };
	addEventListener('error', (e) => report(JSON.stringify(['page error', e.message])));
	addEventListener('securitypolicyviolation', (e) => report(JSON.stringify(['page error', 'not allowed: ' + e.violatedDirective + ' ' + e.blockedURI])));
})()`

// openPage serves the page of testdata/browser with this name, filled in with
// values, from an origin of its own, and opens it in a tab.
func openPage(t testing.TB, name string, values any) *tab {
	t.Helper()
	return openPageBeside(t, name, values, nil)
}

// openPageBeside serves an application's own routes at the page's origin too.
func openPageBeside(t testing.TB, name string, values any, routes map[string]http.Handler) *tab {
	t.Helper()
	tmpl, err := template.ParseFiles("testdata/browser/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var html strings.Builder
	if err := tmpl.Execute(&html, values); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("testdata/browser/node_modules/pusher-js/package.json"); err != nil {
		t.Fatalf("the npm packages of the browser tests are missing (make setup gets them): %v", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/lib/", http.StripPrefix("/lib/", http.FileServer(http.Dir("testdata/browser/node_modules"))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(html.String()))
	})
	for pattern, handler := range routes {
		mux.Handle(pattern, handler)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return openTab(t, srv.URL+"/")
}

func openTab(t testing.TB, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(openBrowser(t), chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx, changed: make(chan struct{})}
	b.close = sync.OnceFunc(func() { _ = chromedp.Cancel(ctx); cancel() })
	t.Cleanup(b.close)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if err := chromedp.Listen(ctx, b.hear); err != nil {
			return err
		}
		_, errNetwork := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		_, errBinding := cdp.Call(ctx, target, cdpruntime.AddBinding, cdpruntime.AddBindingParams{Name: "report"})
		_, errHook := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: hook})
		return errors.Join(errNetwork, errBinding, errHook)
	}), chromedp.Navigate(url))
	return b
}

// do runs actions in the tab and fails the test when they do not end well. The
// tab's own context outlives them.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(b.ctx, actions...) }()
	select {
	case err := <-done:
		if err != nil {
			b.t.Fatalf("the browser: %v", err)
		}
	case <-time.After(patience):
		b.t.Fatal("the browser does not answer")
	}
}

func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *cdpruntime.EventBindingCalled:
		b.logged = append(b.logged, json.RawMessage(ev.Payload))
	case *network.EventWebSocketFrameReceived:
		b.frames = append(b.frames, string(ev.Response.PayloadData))
		if b.strange || ev.Response.Opcode != 1 { // text
			break
		}
		if err := apitest.CheckFrame([]byte(ev.Response.PayloadData)); err != nil {
			b.t.Errorf("the page received %s: %v", ev.Response.PayloadData, err)
		}
	default:
		return
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// wait returns when ok says so of what came so far.
func (b *tab) wait(what string, ok func(logged []json.RawMessage, frames []string) bool) {
	b.t.Helper()
	timeout := time.After(patience)
	for {
		b.mu.Lock()
		done, changed := ok(b.logged, b.frames), b.changed
		soFar := lines(b.logged) + strings.Join(b.frames, "\n")
		b.mu.Unlock()
		if done {
			return
		}
		if strings.Contains(soFar, `["page error"`) {
			b.t.Fatalf("waited for %s, but the page broke:\n%s", what, soFar)
		}
		select {
		case <-changed:
		case <-timeout:
			b.t.Fatalf("waited for %s in vain; the page logged and received:\n%s", what, soFar)
		}
	}
}

func lines(list []json.RawMessage) string {
	var s strings.Builder
	for _, m := range list {
		s.Write(m)
		s.WriteByte('\n')
	}
	return s.String()
}

// subscribed waits until n subscriptions of the page have succeeded.
func (b *tab) subscribed(n int) {
	b.t.Helper()
	b.wait("the subscriptions", func(_ []json.RawMessage, frames []string) bool {
		got := 0
		for _, f := range frames {
			if strings.Contains(f, `"pusher_internal:subscription_succeeded"`) {
				got++
			}
		}
		return got >= n
	})
}

// logs is a copy of what was logged so far.
func (b *tab) logs() []json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]json.RawMessage(nil), b.logged...)
}

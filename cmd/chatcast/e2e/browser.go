package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"chatcast/channels/testwait"
	"chatcast/server/api/apitest"
)

// browser is started once, by the first test that needs it. Each page is a tab with a
// profile of its own.
var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func openBrowser(t testing.TB) context.Context {
	t.Helper()
	browser.once.Do(func() { browser.ctx, browser.cancel, browser.err = launchBrowser() })
	if browser.err != nil {
		t.Fatalf("Chromium does not start (make setup gets it): %v", browser.err)
	}
	return browser.ctx
}

// launchBrowser starts Chromium, with a new profile. extra comes after the usual options.
func launchBrowser(extra ...chromedp.ExecAllocatorOption) (ctx context.Context, cancel func(), err error) {
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
		chromedp.WSURLReadTimeout(testwait.Long), // and a new user-data-dir, which is chromedp's default
	}
	if path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), append(options, extra...)...)
	ctx, cancelCtx := chromedp.NewContext(alloc)
	cancel = func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to end
		cancelCtx()
		cancelAlloc()
	}
	return ctx, cancel, chromedp.Do(ctx)
}

func closeBrowser() {
	if browser.cancel != nil {
		browser.cancel()
	}
}

// Tab is one page in the browser. It collects, in order, what the page logs and what
// its sockets receive.
type Tab struct {
	T     testing.TB
	Ctx   context.Context
	Close func()

	mu      sync.Mutex
	strange bool              // guarded by mu; see AllowStrange
	logged  []json.RawMessage // guarded by mu: console.log's arguments, a JSON array for each call
	frames  []string          // guarded by mu: received on web sockets
	changed chan struct{}     // guarded by mu: closed and replaced at each addition
}

// AllowStrange allows events outside the catalogue, because the test publishes events
// of its own.
func (b *Tab) AllowStrange() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strange = true
}

// AdoptTab returns a Tab for a page that another one has opened.
func AdoptTab(t testing.TB, ctx context.Context, end func()) *Tab {
	t.Cleanup(end)
	b := &Tab{T: t, Ctx: ctx, Close: end, changed: make(chan struct{})}
	b.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return chromedp.Listen(ctx, b.hear) }))
	return b
}

// hook reports what the page logs to the test, as JSON, without changing the page.
const hook = `(() => {
	const log = console.log.bind(console);
	console.log = (...args) => { report(JSON.stringify(args)); log(...args); };
	addEventListener('error', (e) => report(JSON.stringify(['page error', e.message])));
	addEventListener('securitypolicyviolation', (e) => report(JSON.stringify(['page error', 'not allowed: ' + e.violatedDirective + ' ' + e.blockedURI])));
})()`

// OpenTab opens a page in a tab with a profile of its own.
func OpenTab(t testing.TB, url string) *Tab {
	t.Helper()
	return openTab(t, openBrowser(t), url, chromedp.WithNewBrowserContext())
}

// OpenBrowser opens a page in a browser of the test's own, with further options. The page
// has the browser's first profile, the only one in which extensions run.
func OpenBrowser(t testing.TB, url string, options ...chromedp.ExecAllocatorOption) *Tab {
	t.Helper()
	ctx, cancel, err := launchBrowser(options...)
	t.Cleanup(cancel)
	if err != nil {
		t.Fatalf("Chromium does not start (make setup gets it): %v", err)
	}
	return openTab(t, ctx, url)
}

func openTab(t testing.TB, in context.Context, url string, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(in, options...)
	b := &Tab{T: t, Ctx: ctx, changed: make(chan struct{})}
	b.Close = sync.OnceFunc(func() { _ = chromedp.Cancel(ctx); cancel() })
	t.Cleanup(b.Close)
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
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

// Do runs actions in the tab and fails the test if one fails or does not end. The
// tab's own context outlives them.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(b.Ctx, actions...) }()
	select {
	case err := <-done:
		if err != nil {
			b.T.Fatalf("the browser: %v", err)
		}
	case <-time.After(testwait.Long):
		b.T.Fatal("the browser does not answer")
	}
}

// hear collects an event of the browser.
func (b *Tab) hear(ev any) {
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
			b.T.Errorf("the page received %s: %v", ev.Response.PayloadData, err)
		}
	default:
		return
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

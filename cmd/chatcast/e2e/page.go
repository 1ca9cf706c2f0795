package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"chatcast/channels/testwait"
)

// Site is the data of the page templates in testdata/browser.
type Site struct {
	Library, Cluster string // of pusher-js
	Host, Port       string
	Token            string
	Channels         string // a JSON array
}

// Site returns the data of the program that pages need.
func (r *Running) Site(token string) Site {
	host, port, _ := net.SplitHostPort(r.Address())
	return Site{Library: "pusher-js", Host: host, Port: port, Token: token}
}

// Sees waits until the page has logged a line that begins with word and contains part.
func (b *Tab) Sees(word, part string) {
	b.T.Helper()
	b.Wait(word+" with "+part, func(logged []json.RawMessage, _ []string) bool {
		return slices.ContainsFunc(logged, func(l json.RawMessage) bool {
			return strings.HasPrefix(string(l), `["`+word+`"`) && strings.Contains(string(l), part)
		})
	})
}

// Prefers emulates a preferred colour scheme.
func Prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// SchemeRules are the rules of axe that look at colours. In another colour scheme, the
// others would see what they have seen in the first.
var SchemeRules = []string{"color-contrast", "link-in-text-block"}

// Evaluate returns the value of an expression in the page. It awaits promises.
func Evaluate[T any](b *Tab, expression string) (value T) {
	b.T.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) (err error) {
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		return err
	}))
	return value
}

// Picture saves a screenshot of the tab as an artifact of the test.
func (b *Tab) Picture(name string) {
	b.T.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		picture, err := cdp.Call(ctx, target, page.CaptureScreenshot, page.CaptureScreenshotParams{FromSurface: new(true), OptimizeForSpeed: new(true)})
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(b.T.ArtifactDir(), name+".png"), picture.Data, 0o644)
	}))
}

// OpenPage fills the page of testdata/browser with values, serves it from an origin of
// its own, and opens it in a tab.
func OpenPage(t testing.TB, name string, values any) *Tab {
	t.Helper()
	return OpenPageBeside(t, name, values, nil)
}

// OpenPageBeside is OpenPage with an application's own routes at the page's origin.
func OpenPageBeside(t testing.TB, name string, values any, routes map[string]http.Handler) *Tab {
	t.Helper()
	tmpl, err := template.ParseFiles("../testdata/browser/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var html strings.Builder
	if err := tmpl.Execute(&html, values); err != nil {
		t.Fatal(err)
	}
	return OpenHTML(t, html.String(), routes)
}

// OpenHTML serves a page from an origin of its own, with the packages of the browser
// tests in /lib and an application's own routes, and opens it in a tab.
func OpenHTML(t testing.TB, html string, routes map[string]http.Handler) *Tab {
	t.Helper()
	if _, err := os.Stat("../testdata/browser/node_modules/pusher-js/package.json"); err != nil {
		t.Fatalf("the npm packages of the browser tests are missing (make setup gets them): %v", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/lib/", http.StripPrefix("/lib/", http.FileServer(http.Dir("../testdata/browser/node_modules"))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(html))
	})
	for pattern, handler := range routes {
		mux.Handle(pattern, handler)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return OpenTab(t, srv.URL+"/")
}

// Wait waits until ok returns true for everything logged and received so far.
func (b *Tab) Wait(what string, ok func(logged []json.RawMessage, frames []string) bool) {
	b.T.Helper()
	timeout := time.After(testwait.Long)
	for {
		b.mu.Lock()
		done, changed := ok(b.logged, b.frames), b.changed
		broke := slices.ContainsFunc(b.logged, func(l json.RawMessage) bool { return bytes.Contains(l, []byte(`["page error"`)) })
		b.mu.Unlock()
		if done {
			return
		}
		if broke {
			b.T.Fatalf("waited for %s, but the page broke:\n%s", what, b.soFar())
		}
		select {
		case <-changed:
		case <-timeout:
			b.T.Fatalf("waited for %s in vain; the page logged and received:\n%s", what, b.soFar())
		}
	}
}

// soFar is what the page logged and received, one a line.
func (b *Tab) soFar() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Lines(b.logged) + strings.Join(b.frames, "\n")
}

// Lines joins log entries, one a line.
func Lines(list []json.RawMessage) string {
	var s strings.Builder
	for _, m := range list {
		s.Write(m)
		s.WriteByte('\n')
	}
	return s.String()
}

// Subscribed waits until n subscriptions of the page have succeeded.
func (b *Tab) Subscribed(n int) {
	b.T.Helper()
	b.Wait("the subscriptions", func(_ []json.RawMessage, frames []string) bool {
		got := 0
		for _, f := range frames {
			if strings.Contains(f, `"pusher_internal:subscription_succeeded"`) {
				got++
			}
		}
		return got >= n
	})
}

// Logs returns a copy of the log so far.
func (b *Tab) Logs() []json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]json.RawMessage(nil), b.logged...)
}

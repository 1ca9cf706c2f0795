package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/console"
)

// consoleTab is the console in a tab, used as people use it: tests find controls by role
// and accessible name, in the browser's own accessibility tree, and use them with the
// mouse and the keyboard.
type consoleTab struct {
	*e2e.Tab
	base string // the program's address for the browser

	seen struct {
		sync.Mutex
		urls      []string // of requests and sockets
		referrers []string
		faults    []string // exceptions, errors in the browser's console, refusals of the policy
		loaded    map[network.RequestID]float64
	}
}

// screen is the size and kind of a device.
type screen struct {
	name          string
	width, height int64
	scheme        string
}

func (s screen) phone() bool { return s.width < 500 }

// rules returns the rules of axe that a page has to be checked with on this screen, when
// it is checked in light with all.
func (s screen) rules() []string {
	if s.scheme == "dark" {
		return e2e.SchemeRules
	}
	return nil
}

// emulated makes a tab emulate this screen.
func (s screen) emulated() chromedp.Action[chromedp.Void] {
	size := chromedp.EmulateViewport(s.width, s.height)
	if s.phone() {
		size = chromedp.EmulateViewport(s.width, s.height, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
	}
	return chromedp.Steps(size, e2e.Prefers(s.scheme))
}

var (
	desktop = screen{"desktop", 1280, 800, "light"}
	phone   = screen{"phone", 390, 844, "light"}
)

// openConsole opens the console that base serves.
func openConsole(t testing.TB, base string, on screen) *consoleTab {
	t.Helper()
	if built, err := console.Embedded(); err != nil || !built.Built() {
		t.Fatalf("the console is not built into this test (make console builds it): %v", err)
	}
	return openConsoleIn(e2e.OpenTab(t, "about:blank"), base, on)
}

// openConsoleIn opens the console in a tab.
func openConsoleIn(tab *e2e.Tab, base string, on screen) *consoleTab {
	d := &consoleTab{Tab: tab, base: base}
	d.Do(on.emulated(), d.watched(), chromedp.Navigate(base+"/"))
	return d
}

// opens calls do and returns the page that it opens.
func (d *consoleTab) opens(do func()) *consoleTab {
	d.T.Helper()
	before := map[target.ID]bool{}
	for _, info := range d.pages() {
		before[info.TargetID] = true
	}
	do()
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		for _, info := range d.pages() {
			if before[info.TargetID] {
				continue
			}
			ctx, cancel := chromedp.NewContext(d.Ctx, chromedp.WithTargetID(info.TargetID))
			opened := &consoleTab{Tab: e2e.AdoptTab(d.T, ctx, cancel), base: d.base}
			opened.Do(opened.watched())
			return opened
		}
	}
	d.T.Fatal("no page came up")
	return nil
}

// front brings this tab to the front: browsers do not draw others, and send them no
// mouse events.
func (d *consoleTab) front() {
	d.T.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.BringToFront, cdp.Empty{})
		return err
	}))
}

// pages returns the pages of this tab's profile.
func (d *consoleTab) pages() (list []*target.Info) {
	d.T.Helper()
	all, err := chromedp.Targets(d.Ctx)
	if err != nil {
		d.T.Fatal(err)
	}
	own := chromedp.FromContext(d.Ctx)
	profile := own.BrowserContextID
	for _, info := range all { // the browser's first profile has an id that chromedp does not know
		if info.TargetID == own.Target.TargetID {
			profile = info.BrowserContextID
		}
	}
	for _, info := range all {
		if info.Type == "page" && info.BrowserContextID == profile {
			list = append(list, info)
		}
	}
	return list
}

// watched starts watching the tab.
func (d *consoleTab) watched() chromedp.Action[chromedp.Void] {
	d.seen.loaded = map[network.RequestID]float64{}
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		errListen := chromedp.Listen(ctx, d.watch)
		_, errNetwork := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		_, errRuntime := cdp.Call(ctx, target, cdpruntime.Enable, cdp.Empty{})
		_, errLog := cdp.Call(ctx, target, cdplog.Enable, cdp.Empty{})
		return errors.Join(errListen, errNetwork, errRuntime, errLog)
	})
}

// watch records the tab's requests and its errors.
func (d *consoleTab) watch(ev any) {
	d.seen.Lock()
	defer d.seen.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		d.seen.urls = append(d.seen.urls, ev.Request.URL+ev.Request.URLFragment)
		for name, value := range ev.Request.Headers {
			if strings.EqualFold(name, "Referer") {
				d.seen.referrers = append(d.seen.referrers, fmt.Sprint(value))
			}
		}
	case *network.EventLoadingFinished:
		d.seen.loaded[ev.RequestID] = ev.EncodedDataLength
	case *network.EventWebSocketCreated:
		d.seen.urls = append(d.seen.urls, ev.URL)
	case *cdpruntime.EventExceptionThrown:
		d.seen.faults = append(d.seen.faults, "exception: "+describe(ev.ExceptionDetails))
	case *cdpruntime.EventConsoleAPICalled:
		if ev.Type == cdpruntime.ConsoleAPICalledTypeError {
			text, _ := json.Marshal(ev.Args)
			d.seen.faults = append(d.seen.faults, "console.error: "+string(text))
		}
	case *cdplog.EventEntryAdded:
		if ev.Entry.Level == cdplog.EntryLevelError {
			d.seen.faults = append(d.seen.faults, fmt.Sprintf("%s: %s %s", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL))
		}
	}
}

func describe(e *cdpruntime.ExceptionDetails) string {
	if e.Exception != nil && e.Exception.Description != "" {
		return e.Exception.Description
	}
	return e.Text
}

// faultless fails for every error in the tab, except those that contain one of the
// allowed words because the test caused them, such as a refused request.
func (d *consoleTab) faultless(allowed ...string) {
	d.T.Helper()
	d.seen.Lock()
	defer d.seen.Unlock()
next:
	for _, fault := range append(d.seen.faults, pageErrors(d.Logs())...) {
		for _, word := range allowed {
			if strings.Contains(fault, word) {
				continue next
			}
		}
		d.T.Errorf("in the browser: %s", fault)
	}
}

func pageErrors(logged []json.RawMessage) (list []string) {
	for _, l := range logged {
		if strings.HasPrefix(string(l), `["page error"`) {
			list = append(list, string(l))
		}
	}
	return list
}

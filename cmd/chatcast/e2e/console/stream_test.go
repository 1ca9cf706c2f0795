package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleStrangeEvents checks that all events on the user's channels are shown,
// whatever they are: those of a later version, for example.
func TestConsoleStrangeEvents(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, desktop)
	d.AllowStrange()
	d.enter()
	long, wide := strings.Repeat("0123456789", 950), strings.Repeat("wide", 50)
	for _, e := range []struct {
		name string
		data any
		want string
	}{
		{"parcelLost", map[string]any{"parcel": 7}, "An event this console does not know: parcelLost"},
		{"message", []byte(`"only a text"`), "message, with a payload this console cannot read"},
		{"chatTag", []byte(`null`), "chatTag, with a payload this console cannot read"},
		{"messageStatus", []byte(`[1,2,3]`), "messageStatus, with a payload this console cannot read"},
		{"chatRead", []byte(`{"payload":{"data":[null],"meta":{"type":7}}}`), "chatRead, with a payload this console cannot read"},
		{"evil\u202egpj", map[string]any{"turns": "what follows"}, "An event this console does not know: evilgpj"},
		{wide, map[string]any{}, "An event this console does not know: " + wide},
		{"nonsense", []byte(`no JSON at all`), "An event this console does not know: nonsense"},
		{"manifest", map[string]any{"long": long, "list": []int{1, 2, 3}}, "An event this console does not know: manifest"},
	} {
		text, isText := e.data.([]byte)
		if !isText {
			var err error
			if text, err = json.Marshal(e.data); err != nil {
				t.Fatal(err)
			}
		}
		ev := broadcasting.Event{App: p.Components().Apps.First().ID, Channel: e2e.UserChannel, Name: e.name, Data: string(text)}
		if err := p.Components().Engine.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		d.said("", e.want)
	}

	// The longest possible name leaves its count visible, and the filter in its place.
	d.until("the widest chip within the filter, with its count", `(() => {
		const chip = [...document.querySelectorAll('[data-test="event-names"] button')].find((b) => b.title.startsWith('widewide'));
		const [box, filter, count] = [chip, chip.closest('fieldset'), chip.querySelector('.live-count')].map((e) => e.getBoundingClientRect());
		return box.right <= filter.right && count.right <= box.right && count.width > 0;
	})()`)

	// The long event opens with its text cut, until the user asks for all of it.
	d.click("option", "…manifest An event this console does not know: manifest…")
	d.until("the payload", `document.querySelector('[data-test="detail"] [role="tree"]').innerText.includes('0123456789')`)
	if shown := e2e.Evaluate[int](d.Tab, `document.querySelector('[role="tree"]').innerText.length`); shown > 5000 {
		t.Errorf("%d characters of the payload are shown at once", shown)
	}
	d.Picture("long-payload")
	d.until("where it comes from", `document.querySelector('[data-test="event-id"]').innerText === 'not from the journal'`)
	d.allow("clipboard-read", "clipboard-write")
	d.click("button", "Copy JSON")
	d.until("a complete copy", `document.querySelector('[data-test="detail"]').innerText.includes('Copied')`)
	var copied struct{ Long string }
	if text := e2e.Evaluate[string](d.Tab, `navigator.clipboard.readText()`); json.Unmarshal([]byte(text), &copied) != nil || copied.Long != long {
		t.Errorf("the copy is %.100s…", text)
	}
	d.faultless()
}

// TestConsoleFlood publishes 1,000 events a second. The page counts all, keeps the newest
// 10,000, has few of them in the document, and stays responsive.
func TestConsoleFlood(t *testing.T) {
	const rate, seconds, kept = 1000, 4, 10_000
	cfg := e2e.Config(t)
	cfg.Limits.QueueBytes = 64 << 20 // for all events: a browser without CPU time for seconds is not cut as slow
	p := e2e.Start(t, cfg)
	d := openConsole(t, p.Base, desktop)
	d.AllowStrange()
	d.enter()
	e2e.Evaluate[any](d.Tab, `(() => {
		window.long = [];
		new PerformanceObserver((l) => window.long.push(...l.getEntries().map((e) => Math.round(e.duration)))).observe({type: 'longtask'});
	})()`)
	n := 0
	publish := func(count int) {
		for range count {
			n++
			data := fmt.Sprintf(`{"number":%d,"text":"event %d of many"}`, n, n)
			if err := p.Components().Engine.Publish(context.Background(), broadcasting.Event{App: p.Components().Apps.First().ID, Channel: e2e.UserChannel, Name: "many", Data: data}); err != nil {
				t.Error(err)
			}
		}
	}
	done := make(chan struct{})
	go func() { // the pace of the events, not a wait for anything
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range rate * seconds / 10 {
			<-tick.C
			publish(10)
		}
	}()
	counted := func(atLeast int) string {
		return fmt.Sprintf(`parseInt(document.querySelector('[data-test="channels"] [title=%q] .live-count').innerText.replaceAll(',', '')) >= %d`, e2e.UserChannel, atLeast)
	}
	d.until("the first thousand", counted(1000))
	began := time.Now()
	d.click("button", "Pause")
	d.until("the pause", `document.querySelector('[data-test="waiting"]').innerText.includes('waiting')`)
	t.Logf("while 1,000 events came a second, a click took %v", time.Since(began).Round(time.Millisecond))
	d.click("link", "Connect")
	d.until("another view", `document.title.startsWith('Connect')`)
	d.click("link", "Live")
	d.click("button", "Resume…")
	<-done
	d.until("all of them", counted(rate*seconds))
	t.Logf("tasks longer than 50 ms: %v", e2e.Evaluate[[]int](d.Tab, `window.long`))

	publish(kept) // at once, and more than the page keeps
	d.until("the rest", counted(rate*seconds+kept))
	d.press(kb.End)
	d.until("the newest", `[...document.querySelectorAll('[role="option"]')].some((r) => r.title || r.innerText.includes('many'))`)
	if rows := e2e.Evaluate[int](d.Tab, `document.querySelectorAll('[role="option"]').length`); rows == 0 || rows > 100 {
		t.Errorf("%d rows are in the document", rows)
	}
	shown := e2e.Evaluate[string](d.Tab, `document.querySelector('[data-test="shown"]').innerText`)
	var held int
	if _, err := fmt.Sscanf(strings.ReplaceAll(shown, ",", ""), "%d events", &held); err != nil || held < kept || held > kept+1000 {
		t.Errorf("the list holds %s, want about %d", shown, kept)
	}
	t.Logf("in all %d long tasks; the page holds %s, and %d MB of JavaScript", e2e.Evaluate[int](d.Tab, `window.long.length`), shown,
		e2e.Evaluate[int](d.Tab, `Math.round(performance.memory.usedJSHeapSize / 1e6)`))
	d.Picture("flood")
	d.faultless()
}

// TestConsoleLeavesWhileScrolling leaves the Live view between a scroll and the frame in
// which browsers report it.
func TestConsoleLeavesWhileScrolling(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, desktop)
	d.AllowStrange()
	d.enter()
	for n := range 100 {
		ev := broadcasting.Event{App: p.Components().Apps.First().ID, Channel: e2e.UserChannel, Name: "many", Data: fmt.Sprintf(`{"number":%d}`, n)}
		if err := p.Components().Engine.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	d.until("a list that scrolls", `document.querySelector('[data-test="events"]').scrollTop > 1000`)
	scrolls := e2e.Evaluate[int](d.Tab, `(async () => {
		const list = document.querySelector('[data-test="events"]');
		let scrolls = 0;
		list.addEventListener('scroll', () => { if (!list.isConnected) scrolls++; });
		list.scrollTop = 0;
		location.hash = '#/connect';
		dispatchEvent(new HashChangeEvent('hashchange'));
		for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
		return scrolls;
	})()`)
	if scrolls == 0 {
		t.Error("the list heard of no scroll after it was gone")
	}
	d.until("another view", `document.title.startsWith('Connect')`)
	d.faultless()
}

// TestConsoleByKeyboard uses the console without a mouse.
func TestConsoleByKeyboard(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	d := openConsole(t, p.Base, desktop)
	d.until("the focus in the first field", `document.activeElement.name === 'email'`)
	d.press(e2e.OwnerEmail + kb.Tab + e2e.OwnerPassword + kb.Enter)
	d.live()
	for i, text := range []string{"the first text", "the second text", "something else"} {
		write(owner, fmt.Sprintf("M%d", i), text)
		d.said("", text)
	}

	d.press("/")
	d.until("the focus in the filter", `document.activeElement.matches('[data-test="filter"]')`)
	d.press("SECOND")
	d.until("one event", `document.querySelectorAll('[role="option"]').length === 1 && document.querySelector('[data-test="shown"]').innerText.startsWith('1 of ')`)
	d.press(kb.Escape) // clears
	d.press(kb.Escape) // leaves
	d.until("all events", `document.querySelectorAll('[role="option"]').length > 3 && document.activeElement === document.body`)

	d.press("p")
	d.find("button", "Resume…")
	write(owner, "M9", "while it stands still")
	d.until("one that waits", `/\d waiting/.test(document.querySelector('[data-test="waiting"]').innerText)`)
	if strings.Contains(d.text(), "while it stands still") {
		t.Error("a paused list goes on")
	}
	d.press("p")
	d.said("", "while it stands still")

	d.press("k")
	d.until("a chosen event", `document.querySelector('[role="option"][aria-selected="true"]')`)
	d.press(kb.Enter)
	d.until("its payload", `document.querySelector('[data-test="detail"] [role="tree"]')`)
	d.press("k")
	d.until("that of the one before", `/live\/\d+$/.test(location.hash)`)
	d.Picture("keyboard")
	d.press(kb.Escape)
	d.until("it to be closed", `!document.querySelector('[data-test="detail"]')`)
	d.press("?")
	d.find("dialog", "Keyboard")
	d.press(kb.Escape)

	// Go to another view through the links next to the skip link.
	d.tabTo("link", "Connect")
	d.press(kb.Enter)
	d.until("another view", `document.title.startsWith('Connect')`)
	d.tabTo("link", "Live")
	d.press(kb.Enter)
	d.until("the list again", `document.title.startsWith('Live')`)
	d.faultless()
}

// tabTo presses Tab until the focus is on the element of this name.
func (d *consoleTab) tabTo(role, name string) {
	d.T.Helper()
	goal := d.find(role, name)
	for range 100 {
		focused, err := d.at(goal, `function() { return document.activeElement === this; }`)
		if err == nil && string(focused) == "true" {
			if visible := e2e.Evaluate[bool](d.Tab, `document.activeElement.matches(':focus-visible')`); !visible {
				d.T.Errorf("the focus is not seen on the %s %q", role, name)
			}
			return
		}
		d.strike(kb.Tab)
	}
	d.T.Fatalf("the tabulator does not come to the %s %q", role, name)
}

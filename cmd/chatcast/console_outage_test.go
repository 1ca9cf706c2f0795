package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// listed are the events that the Live view shows: whether each was missed, and
// what it says.
const listed = `[...document.querySelectorAll('[data-test="events"] [role="option"]')].map((row) =>
	row.dataset.test === 'gap' ? 'gap' : (row.dataset.missed ? 'missed ' : 'live ') + row.querySelector('bdi').innerText)`

// said waits until the list has all these lines, and gives back those of the list
// that hold word, and the gaps.
func (d *desk) said(word string, last string) (list []string) {
	d.t.Helper()
	d.until(fmt.Sprintf("%q in the list", last), listed+`.some((l) => l.includes(`+quote(last)+`))`)
	for _, line := range evaluate[[]string](d.tab, listed) {
		if line == "gap" || strings.Contains(line, word) {
			list = append(list, line)
		}
	}
	return list
}

// write is a text of the customer Ann.
func (c *client) write(id, text string) {
	c.t.Helper()
	c.must("POST", whatsApp+"/inbound", inbound(id, "79990001122", text), nil)
}

// TestConsoleOutage: the page was cut off while the server went on. It says how
// long, and shows what it missed once, in order, and marked.
func TestConsoleOutage(t *testing.T) {
	p := start(t, testConfig(t))
	owner := p.signIn(t)
	line := lay(t, p.Address())
	d := openConsole(t, line.base(), desktop)
	d.enter()
	owner.write("M0", "text before")
	d.said("text", "text before")

	line.pull()
	d.until("the loss to be seen", `document.querySelector('.pill').innerText.trim() !== 'live'`)
	for i := range 3 {
		owner.write(fmt.Sprintf("missed-%d", i), fmt.Sprintf("text meanwhile %d", i))
	}
	d.picture("away")
	d.click("button", "Connection: …")
	d.untilText("What pusher-js is doing")
	d.picture("away-connection")
	line.mend()
	d.click("button", "Connect now")
	d.until("it to be back", `document.querySelector('.pill[data-state="connected"]')`)
	d.untilText("back after")
	d.click("button", "Close")
	// Three messages; and that the owner is online again, if that was told before the page had its channels.
	d.until("the outage to be told", `/The connection was lost for .*second.* [34] events came meanwhile; they were read from the journal\./.test(document.querySelector('[data-outage]').innerText)`)
	owner.write("M4", "text after")

	want := []string{"live Ann: text before", "gap", "missed Ann: text meanwhile 0", "missed Ann: text meanwhile 1", "missed Ann: text meanwhile 2", "live Ann: text after"}
	if got := d.said("text", "text after"); !slices.Equal(unmarked(got), want) {
		t.Errorf("the list has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.until("the length of the outage in the list", `/^away .*second/.test(document.querySelector('[data-test="gap"]').innerText)`)
	d.picture("back")
	d.faultless("ERR_", "WebSocket")
	d.askedOnly()
}

// unmarked takes the chips out of lines.
func unmarked(lines []string) []string {
	out := slices.Clone(lines)
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// TestConsoleServerRestarts: the server was gone, and comes back as another
// version. The page goes on, says that it is of another build, and reloads.
func TestConsoleServerRestarts(t *testing.T) {
	before := version
	t.Cleanup(func() { version = before })
	cfg := testConfig(t)
	p := start(t, cfg)
	d := openConsole(t, p.base, phone)
	d.enter()
	p.signIn(t).write("M0", "text before")
	d.said("text", "text before")

	cfg.Server.Address = p.Address()
	p.stop()
	d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	d.picture("gone")
	version = "9.9.9"
	again := start(t, cfg)
	d.click("button", "Connection: …")
	d.click("button", "Connect now") // pusher-js' own next try may be in a quarter of a minute
	d.press(kb.Escape)
	d.live()
	again.signIn(t).write("M1", "text after")
	if got, want := d.said("text", "text after"), []string{"live Ann: text before", "gap", "live Ann: text after"}; !slices.Equal(got, want) {
		t.Errorf("the list has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.untilText("The server is back with another version (9.9.9).")
	d.picture("another-version")
	d.click("button", "Reload")
	d.until("the banner to be gone", `document.querySelector('.pill[data-state="connected"]') && !document.body.innerText.includes('9.9.9')`)
	d.faultless("ERR_", "WebSocket")
}

// TestConsoleRefusedChannel: who may not read a line any more sees that, and the
// rest goes on.
func TestConsoleRefusedChannel(t *testing.T) {
	p := start(t, testConfig(t))
	owner := p.signIn(t)
	_, beaID := owner.hire(p)
	d := openConsole(t, p.base, desktop)
	d.signIn("bea@example.com", ownerPassword)
	d.live()
	owner.write("M0", "text before")
	d.said("text", "text before")

	bea := fmt.Sprintf("/v1/companies/2224/employees/%d", beaID)
	owner.must("PATCH", bea, map[string]any{"licenses": []any{}}, nil)
	d.until("the refusal", `document.querySelectorAll('[data-test="channels"] [data-state="refused"]').length === 2`) // WhatsApp and Telegram
	owner.write("M1", "text that is none of her business")
	owner.must("PUT", "/v1/companies/2224/employees/685/workday", map[string]any{"type": "start"}, nil)
	if got := d.said("text", "started the workday"); !slices.Equal(got, []string{"live Ann: text before"}) {
		t.Errorf("the list has %q", got)
	}
	d.click("button", "Connection: live…")
	d.until("the reason", `/licenses\.1229\.messengers\.grWhatsApp\s+refused \(403\)/.test(document.querySelector('dialog').innerText)`)
	d.picture("refused")
	d.press(kb.Escape)

	// After a reload she is not asked to subscribe to it any more.
	d.do(chromedp.Reload())
	d.live()
	d.until("the channels that are left", `document.querySelectorAll('[data-test="channels"] [data-state="live"]').length === 2 && !document.querySelector('[data-state="refused"]')`)
	d.faultless()
}

// TestConsoleRefusedOnReturn: the access went while the page was away. The server
// refuses the channel to the page that comes back.
func TestConsoleRefusedOnReturn(t *testing.T) {
	p := start(t, testConfig(t))
	owner := p.signIn(t)
	_, beaID := owner.hire(p)
	line := lay(t, p.Address())
	d := openConsole(t, line.base(), phone)
	d.signIn("bea@example.com", ownerPassword)
	d.live()
	owner.write("M0", "text before")
	d.said("text", "text before") // so the page knows its place in the journal
	line.pull()
	d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	owner.must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"licenses": []any{}}, nil)
	owner.must("PUT", "/v1/companies/2224/employees/685/workday", map[string]any{"type": "start"}, nil)
	line.mend()
	d.live()
	d.said("", "started the workday") // from the journal: the rest goes on
	d.click("button", "Connection: live…")
	d.until("the reason", `document.querySelector('dialog').innerText.match(/messengers\.\w+\s+refused( \(403\))?: /g).length === 2`)
	d.picture("refused-phone")
	d.faultless("403", "ERR_", "WebSocket")
}

// TestConsoleFiguresGrowOld: the Server view keeps the last figures while the server
// is gone, and says how old they are.
func TestConsoleFiguresGrowOld(t *testing.T) {
	p := start(t, testConfig(t))
	line := lay(t, p.Address())
	d := openConsole(t, line.base(), desktop)
	d.enter()
	d.click("link", "Server")
	d.until("the figures", `/Sockets open\s+1\b/.test(document.querySelector('.figures').innerText)`)
	line.pull()
	d.untilText("These figures are")
	d.until("them to stay", `/Sockets open\s+1\b/.test(document.querySelector('.figures.stale').innerText)`)
	d.picture("figures-old")
	d.accessible("Server, gone")
	line.mend()
	d.until("new ones", `document.querySelector('.figures:not(.stale)')`)
	d.faultless("ERR_", "WebSocket")
}

// TestConsoleOnlyMine: an operator who sees only their own chats hears of those,
// over a channel of their own.
func TestConsoleOnlyMine(t *testing.T) {
	p := start(t, testConfig(t))
	owner := p.signIn(t)
	_, beaID := owner.hire(p)
	owner.must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"onlyMine": true}, nil)
	owner.write("M0", "text of a chat of the owner's")
	owner.must("PUT", whatsApp+"/chats/79990001122/responsible", map[string]any{"id": 685}, nil)
	d := openConsole(t, p.base, phone)
	d.signIn("bea@example.com", ownerPassword)
	d.live()
	owner.write("M1", "text that is none of her business")
	owner.must("POST", whatsApp+"/inbound", inbound("M2", "79990003344", "text of a chat that is no one's"), nil)
	if got := d.said("text", "no one's"); !slices.Equal(got, []string{"live Ann: text of a chat that is no one's"}) {
		t.Errorf("the list has %q", got)
	}
	d.faultless()
}

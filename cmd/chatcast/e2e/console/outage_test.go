package console

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

// listed is JavaScript for the events that the Live view shows: whether each was missed,
// and its text.
const listed = `[...document.querySelectorAll('[data-test="events"] [role="option"]:not([data-test="begin"])')].map((row) =>
	row.dataset.test === 'gap' ? 'gap' : (row.dataset.missed ? 'missed ' : 'live ') + row.querySelector('bdi').innerText)`

// said waits until a line of the list contains last, and returns the lines that contain
// word, and the gaps.
func (d *consoleTab) said(word string, last string) (list []string) {
	d.T.Helper()
	d.until(fmt.Sprintf("%q in the list", last), listed+`.some((l) => l.includes(`+quote(last)+`))`)
	for _, line := range e2e.Evaluate[[]string](d.Tab, listed) {
		if line == "gap" || strings.Contains(line, word) {
			list = append(list, line)
		}
	}
	return list
}

// write posts a text of the customer Ann.
func write(c *e2e.Client, id, text string) {
	c.T.Helper()
	c.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(id, "79990001122", text), nil)
}

// TestConsoleOutage cuts the page off while the server goes on. The page shows how long
// the outage was, and the missed events once, in order, and marked.
func TestConsoleOutage(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), desktop)
	d.enter()
	write(owner, "M0", "text before")
	d.said("text", "text before")

	line.Pull()
	d.until("the loss to be seen", `document.querySelector('.pill').innerText.trim() !== 'live'`)
	for i := range 3 {
		write(owner, fmt.Sprintf("missed-%d", i), fmt.Sprintf("text meanwhile %d", i))
	}
	d.Picture("away")
	d.click("button", "Connection: …")
	d.untilText("What pusher-js is doing")
	d.Picture("away-connection")
	line.Mend()
	d.connectNow()
	d.until("it to be back", `document.querySelector('.pill[data-state="connected"]')`)
	d.untilText("back after")
	d.click("button", "Close")
	// Three messages, and the owner's return if it came before the page had its
	// channels.
	d.until("the outage to be told", `/The connection was lost for .*second.* [34] events came meanwhile; they were read from the journal\./.test(document.querySelector('[data-outage]').innerText)`)
	write(owner, "M4", "text after")

	want := []string{"live Ann: text before", "gap", "missed Ann: text meanwhile 0", "missed Ann: text meanwhile 1", "missed Ann: text meanwhile 2", "live Ann: text after"}
	if got := d.said("text", "text after"); !slices.Equal(unmarked(got), want) {
		t.Errorf("the list has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.until("the length of the outage in the list", `/^away .*second/.test(document.querySelector('[data-test="gap"]').innerText)`)
	d.Picture("back")
	d.faultless("ERR_", "WebSocket")
	d.askedOnly()
}

// connectNow presses the button of the dialog, which is gone if pusher-js was quicker.
func (d *consoleTab) connectNow() {
	e2e.Evaluate[bool](d.Tab, `(() => {
		const now = [...document.querySelectorAll('dialog button')].find((b) => b.innerText.trim() === 'Connect now');
		now?.click();
		return now !== undefined;
	})()`)
}

// unmarked returns the lines without surrounding space.
func unmarked(lines []string) []string {
	out := slices.Clone(lines)
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// TestConsoleServerRestarts stops the server and starts another version. The page goes
// on, shows that it is of another build, and reloads.
func TestConsoleServerRestarts(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	d := openConsole(t, p.Base, phone)
	d.enter()
	write(p.SignIn(t), "M0", "text before")
	d.said("text", "text before")

	cfg.Server.Address = p.Address()
	p.Stop()
	d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	d.Picture("gone")
	again := e2e.StartAs(t, cfg, "9.9.9")
	d.click("button", "Connection: …")
	d.untilText("What pusher-js is doing")
	d.connectNow()
	d.press(kb.Escape)
	d.live()
	write(again.SignIn(t), "M1", "text after")
	got := d.said("text", "text after")
	got[len(got)-1] = strings.Replace(got[len(got)-1], "missed ", "live ", 1) // the page may still be reading what it missed
	got = slices.Compact(got)                                                 // pressed while a connection was being made, Connect now cuts it: a second, short outage
	if want := []string{"live Ann: text before", "gap", "live Ann: text after"}; !slices.Equal(got, want) {
		gaps := e2e.Evaluate[string](d.Tab, `[...document.querySelectorAll('[data-test="gap"]')].map((g) => g.innerText).join('; ')`)
		t.Errorf("the list has\n%s\nwant\n%s\ngaps: %s", strings.Join(got, "\n"), strings.Join(want, "\n"), gaps)
	}
	d.untilText("The server is back with another version (9.9.9).")
	d.Picture("another-version")
	d.click("button", "Reload")
	d.until("the banner to be gone", `document.querySelector('.pill[data-state="connected"]') && !document.body.innerText.includes('9.9.9')`)
	d.faultless("ERR_", "WebSocket", "/broadcasting/auth") // of a socket that the page gave up meanwhile
}

// TestConsoleRefusedChannel removes the access to a line. The user sees that, and the
// rest goes on.
func TestConsoleRefusedChannel(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	d := openConsole(t, p.Base, desktop)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	write(owner, "M0", "text before")
	d.said("text", "text before")

	bea := fmt.Sprintf("/v1/companies/2224/employees/%d", beaID)
	owner.Must("PATCH", bea, map[string]any{"licenses": []any{}}, nil)
	d.until("the refusal", `document.querySelectorAll('[data-test="channels"] [data-state="refused"]').length === 2`) // WhatsApp and Telegram
	write(owner, "M1", "text that is none of her business")
	owner.Must("PUT", "/v1/companies/2224/employees/685/workday", map[string]any{"type": "start"}, nil)
	if got := d.said("text", "started the workday"); !slices.Equal(got, []string{"live Ann: text before"}) {
		t.Errorf("the list has %q", got)
	}
	d.click("button", "Connection: live…")
	d.until("the reason", `/licenses\.1229\.messengers\.grWhatsApp\s+refused \(403\)/.test(document.querySelector('dialog').innerText)`)
	d.Picture("refused")
	d.press(kb.Escape)

	// After a reload the page does not try to subscribe to it again.
	d.Do(chromedp.Reload())
	d.live()
	d.until("the channels that are left", `document.querySelectorAll('[data-test="channels"] [data-state="live"]').length === 2 && !document.querySelector('[data-state="refused"]')`)
	d.faultless()
}

// TestConsoleRefusedOnReturn removes the access while the page is away. The server
// refuses the channel when the page comes back.
func TestConsoleRefusedOnReturn(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), phone)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	write(owner, "M0", "text before")
	d.said("text", "text before") // now the page has its position in the journal
	line.Pull()
	d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"licenses": []any{}}, nil)
	owner.Must("PUT", "/v1/companies/2224/employees/685/workday", map[string]any{"type": "start"}, nil)
	line.Mend()
	d.live()
	d.said("", "started the workday") // from the journal: the rest goes on
	d.click("button", "Connection: live…")
	d.until("the reason", `document.querySelector('dialog').innerText.match(/messengers\.\w+\s+refused( \(403\))?: /g).length === 2`)
	d.Picture("refused-phone")
	d.faultless("403", "ERR_", "WebSocket")
}

// TestConsoleFiguresGrowOld checks that the Server view keeps the last figures while the
// server is gone, and shows how old they are.
func TestConsoleFiguresGrowOld(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), desktop)
	d.enter()
	d.click("link", "Server")
	d.until("the figures", `/Sockets open\s+1\b/.test(document.querySelector('.figures').innerText)`)
	line.Pull()
	d.untilText("These figures are")
	d.until("them to stay", `/Sockets open\s+1\b/.test(document.querySelector('.figures.stale').innerText)`)
	d.Picture("figures-old")
	d.accessible("Server, gone")
	line.Mend()
	d.until("new ones", `document.querySelector('.figures:not(.stale)')`)
	d.faultless("ERR_", "WebSocket")
}

// TestConsoleOnlyMine checks that an operator who sees only their own chats gets only
// their events, over a channel of their own.
func TestConsoleOnlyMine(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	write(owner, "M0", "text of a chat of the owner's") // before Bea could have seen it as a chat of no one's
	owner.Must("PUT", e2e.WhatsAppPath+"/chats/79990001122/responsible", map[string]any{"id": 685}, nil)
	_, beaID := owner.Hire(p)
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"onlyMine": true}, nil)
	d := openConsole(t, p.Base, phone)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	write(owner, "M1", "text that is none of her business")
	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("M2", "79990003344", "text of a chat that is no one's"), nil)
	if got := d.said("text", "no one's"); !slices.Equal(got, []string{"live Ann: text of a chat that is no one's"}) {
		t.Errorf("the list has %q", got)
	}
	d.faultless()
}

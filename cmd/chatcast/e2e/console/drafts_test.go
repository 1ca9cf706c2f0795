package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

const composerText = `document.querySelector('[data-test="composer"]').value`

// opensChat opens a chat of the Send view.
func (d *consoleTab) opensChat(name string) {
	d.T.Helper()
	d.click("link", "Send")
	d.click("link", "…"+name+"…")
	d.find("textbox", "Answer "+name)
}

// outgoing returns the texts and captions that were sent in a chat, newest first.
func outgoing(c *e2e.Client, chat string) (list []string) {
	c.T.Helper()
	var page struct {
		Items []struct {
			Side    string
			Message struct {
				Text, Caption string
				File          *struct{ Name string }
				Location      *struct {
					Latitude, Longitude float64
					Name, Address       string
				}
			}
		}
	}
	c.Must("GET", e2e.WhatsAppPath+"/chats/"+chat+"/messages?limit=100", nil, &page)
	for _, m := range page.Items {
		switch {
		case m.Side != "out":
		case m.Message.File != nil:
			list = append(list, m.Message.File.Name+": "+m.Message.Caption)
		case m.Message.Location != nil:
			l := m.Message.Location
			list = append(list, fmt.Sprintf("%v %v %s, %s", l.Latitude, l.Longitude, l.Name, l.Address))
		default:
			list = append(list, m.Message.Text)
		}
	}
	return list
}

// TestConsoleDrafts checks that an unsent text survives other chats and views, reloads,
// sends that fail and a session that ends, that it counts once, and that nobody finds it
// after a sign-out.
func TestConsoleDrafts(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	owner.Hire(p)
	anna.writes(owner, "A1", "Is my order ready?")
	daniel.writes(owner, "D1", "Do you ship to Berlin?")
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), desktop)
	d.enter()
	d.opensChat(anna.name)
	d.fill("textbox", "Answer "+anna.name, "It will be ready at")
	d.click("link", "…"+daniel.name+"…")
	d.find("textbox", "Answer "+daniel.name)
	d.until("another draft", composerText+` === ''`)
	d.until("the draft in the list", `document.querySelector('[data-chat="`+anna.phone+`@c.us"]').innerText.includes('Draft: It will be ready at')`)
	d.onAllScreens("draft-listed")
	d.click("link", "Live")
	d.Do(chromedp.Reload())
	d.live()
	d.opensChat(anna.name)
	d.until("the draft after a reload", composerText+` === 'It will be ready at'`)

	// A send that does not get through.
	d.click("textbox", "Answer "+anna.name)
	d.press(kb.End + " six.")
	d.fails("/messages/text")
	d.click("button", "Send")
	d.until("the failure", `document.querySelector('.composer [data-test="error"]').innerText.includes('does not answer')`)
	d.Do(chromedp.Reload())
	d.live()
	d.until("the draft after the failure", composerText+` === 'It will be ready at six.'`)

	// One whose answer is lost: the message is there, and sending it again does not double it.
	e2e.Evaluate[any](d.Tab, `(() => { const ask = fetch; window.fetch = async (path, init) => {
		const answer = await ask(path, init);
		if (String(path).endsWith('/messages/text')) throw new TypeError('lost');
		return answer;
	}; })()`)
	d.click("button", "Send")
	d.until("the message", `document.querySelector('[role="log"]').innerText.includes('ready at six.')`)
	d.until("the failure", `document.querySelector('.composer [data-test="error"]').innerText.includes('does not answer')`)
	d.Do(chromedp.Reload())
	d.live()
	d.until("the draft after a failure and a reload", composerText+` === 'It will be ready at six.'`)
	d.click("button", "Send")
	d.until("an empty composer", composerText+` === ''`)
	if got := outgoing(owner, anna.phone); len(got) != 1 {
		t.Errorf("sent were %q", got)
	}
	d.Do(chromedp.Reload())
	d.find("textbox", "Answer "+anna.name)
	d.until("no draft", composerText+` === ''`)

	// A session that ends by itself keeps the draft for its user, on the page alone.
	d.press(kb.Tab)
	d.fill("textbox", "Answer "+anna.name, "A secret of the owner")
	access, _ := d.tokens()
	(&e2e.Client{T: t, Base: p.Base, Token: access}).Must("DELETE", "/v1/tokens", nil, nil)
	d.flicker(line)
	d.untilText("Your session has ended.")
	if kept := e2e.Evaluate[string](d.Tab, `JSON.stringify(sessionStorage)`); strings.Contains(kept, "secret") {
		t.Errorf("stored is %s", kept)
	}
	d.enter()
	d.until("the draft of before", composerText+` === 'A secret of the owner'`)

	// After a sign-out nobody has it: not another user, and not the same one.
	d.click("button", "Account of Owner")
	d.click("button", "Sign out")
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	d.find("textbox", "Answer "+anna.name)
	d.until("Bea's own composer", composerText+` === ''`)
	if kept := e2e.Evaluate[string](d.Tab, `JSON.stringify([sessionStorage, localStorage]) + document.body.innerText`); strings.Contains(kept, "secret") {
		t.Errorf("Bea finds it in %s", kept)
	}
	d.click("button", "Account of Bea")
	d.click("button", "Sign out")
	d.enter()
	d.find("textbox", "Answer "+anna.name)
	d.until("no draft any more", composerText+` === ''`)
	d.faultless("403", "ERR_", "WebSocket")
	d.askedOnly()
}

// TestConsoleUnread checks that the number of unread messages falls when somebody who may
// answer looks at them, and not before.
func TestConsoleUnread(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"licenses": []any{map[string]any{"licenseId": 1229, "write": false}}}, nil)
	for i := range 60 {
		anna.writes(owner, fmt.Sprintf("A%d", i), fmt.Sprintf("line %d\nof a long conversation", i))
	}
	unread := func() int {
		var chat struct{ Unread int }
		owner.Must("GET", e2e.WhatsAppPath+"/chats/"+anna.phone, nil, &chat)
		return chat.Unread
	}
	listed := `document.querySelector('[data-chat="` + anna.phone + `@c.us"] .unread')`
	last := `document.querySelector('[data-chat="` + anna.phone + `@c.us"] .under').innerText`

	// Bea may only read the line, and reads it for nobody else.
	d := openConsole(t, p.Base, desktop)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	d.click("link", "Send")
	d.click("link", "…"+anna.name+"…")
	d.until("the messages", `document.querySelector('[role="log"]').innerText.includes('line 59')`)
	d.faultless()
	d.Close()

	d = openConsole(t, p.Base, desktop)
	d.enter()
	d.click("link", "Send")
	d.until("the number in the list", listed+`.innerText.includes('60')`)
	d.until("the last message in the list", last+`.startsWith('line 59')`)
	if n := unread(); n != 60 {
		t.Errorf("%d messages are unread before anybody looked who may answer", n)
	}
	d.click("link", "…"+anna.name+"…")
	d.until("no number in the list", `!`+listed)
	owner.Eventually("the messages of the open chat are read", func() bool { return unread() == 0 })
	anna.writes(owner, "seen", "seen as it comes")
	d.until("the message", `document.querySelector('[role="log"]').innerText.includes('seen as it comes')`)
	d.until("no number in the list", `!`+listed)
	owner.Eventually("the message that came is read", func() bool { return unread() == 0 }) // the page has it, and tells the server

	// Scrolled up, a new message is not seen yet.
	e2e.Evaluate[any](d.Tab, `document.querySelector('.scroller').scrollTo(0, 0)`)
	d.rest()
	anna.writes(owner, "below", "below the fold")
	d.find("button", "1 new message")
	d.until("the number in the list", listed+`.innerText.includes('1')`)
	d.Picture("unread-below")
	d.click("button", "1 new message")
	d.until("no number in the list", `!`+listed)
	owner.Eventually("all messages are read", func() bool { return unread() == 0 })

	// What was deleted is not in the list either.
	var sent struct{ ID string }
	owner.Must("POST", e2e.WhatsAppPath+"/chats/"+anna.phone+"/messages/text", map[string]any{"text": "a slip"}, &sent)
	d.until("the last message in the list", last+` === 'a slip'`)
	owner.Must("DELETE", e2e.WhatsAppPath+"/chats/"+anna.phone+"/messages/"+sent.ID, nil, nil)
	d.until("no deleted text in the list", `!`+last+`.includes('slip')`)
	d.faultless()
}

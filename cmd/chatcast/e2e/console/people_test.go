package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsolePeople invites people, changes and removes them, and leaves.
func TestConsolePeople(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.fails("/employees")
	d.click("link", "People")
	d.untilText("The people could not be read.")
	d.onAllScreens("people-failed")
	e2e.Evaluate[any](d.Tab, `window.mended = true`)
	d.click("button", "Try again")
	d.untilText("You are the only one here.")
	d.onAllScreens("people-alone")

	link := d.invites("bea@example.com", "read and write")
	d.onAllScreens("people-link")
	d.allow("clipboard-read", "clipboard-write")
	d.click("button", "Copy the link")
	d.untilText("Copied")
	if copied := e2e.Evaluate[string](d.Tab, `navigator.clipboard.readText()`); copied != link {
		t.Errorf("copied is %s, shown %s", copied, link)
	}
	d.click("button", "Done")
	d.invites("typo@example.com", "")
	d.press(kb.Escape)
	d.until("both invitations", `document.querySelectorAll('[data-invitation]').length === 2`)
	if strings.Contains(e2e.Evaluate[string](d.Tab, `document.documentElement.outerHTML`), link) {
		t.Error("the link is still on the page")
	}
	d.onAllScreens("people-invited")
	d.click("button", "Withdraw the invitation of typo@example.com")
	d.click("button", "Really withdraw?")
	d.until("one invitation", `document.querySelectorAll('[data-invitation]').length === 1`)

	// Bea accepts, and comes online.
	_, code, _ := strings.Cut(link, "/invitation/")
	var joined struct{ UserID int64 }
	(&e2e.Client{T: t, Base: p.Base}).Must("POST", "/v1/invitations/accept", map[string]any{"code": code, "name": "Bea", "password": e2e.OwnerPassword}, &joined)
	p.SignInAs(t, "bea@example.com", e2e.OwnerPassword).GoOnline(joined.UserID)
	d.until("Bea, online", `/Bea[\s\S]*operator[\s\S]*online/.test(document.querySelector('[data-person="bea@example.com"]').innerText) && !document.querySelector('[data-invitation]')`)

	d.click("button", "Change Bea")
	d.choose("Lines: My license", "read")
	d.click("checkbox", "Sees only their own chats and those of nobody")
	d.onAllScreens("people-change")
	d.click("button", "Save")
	d.until("the new rights", `document.querySelector('[data-person="bea@example.com"]').innerText.includes('read only') && !document.querySelector('dialog')`)
	var bea struct {
		Role     string
		OnlyMine bool
		Licenses []struct {
			LicenseID int64
			Write     bool
		}
	}
	at := fmt.Sprintf("/v1/companies/2224/employees/%d", joined.UserID)
	owner.Must("GET", at, nil, &bea)
	if bea.Role != "operator" || !bea.OnlyMine || len(bea.Licenses) != 1 || bea.Licenses[0].Write {
		t.Errorf("Bea is %+v", bea)
	}
	d.click("button", "Change Bea")
	d.click("radio", "Admin: …")
	d.click("button", "Save")
	d.until("the new role", `/admin[\s\S]*All lines/.test(document.querySelector('[data-person="bea@example.com"]').innerText)`)
	d.onAllScreens("people")

	// The last owner stays; others are removed when that is confirmed.
	d.click("button", "Leave …")
	d.onAllScreens("people-leave")
	d.click("button", "Yes, leave")
	d.untilText("a company must keep an owner")
	d.click("button", "Stay")
	d.click("button", "Change Bea")
	d.click("button", "Remove Bea…")
	d.untilText("Bea loses access to")
	d.onAllScreens("people-remove")
	d.click("button", "Yes, remove")
	d.until("Bea to be gone", `!document.querySelector('[data-person="bea@example.com"]') && !document.querySelector('dialog')`)
	if status, _ := owner.Call("GET", at, nil); status != 404 {
		t.Errorf("Bea is still there: %d", status)
	}
	d.faultless("409")
	d.askedOnly()
}

// invites fills in the form of an invitation and returns the link.
func (d *consoleTab) invites(email, right string) string {
	d.T.Helper()
	d.click("button", "Invite")
	d.until("the focus in the field", `document.activeElement.name === 'email'`)
	d.fill("textbox", "E-mail", email)
	if right != "" {
		d.choose("Lines: My license", right)
		d.onAllScreens("people-invite")
	}
	d.click("button", "Make the link")
	d.find("dialog", "The invitation of "+email+" is ready")
	return e2e.Evaluate[string](d.Tab, `document.querySelector('[data-test="invitation-link"]').value`)
}

// TestConsolePeopleSecondFactor requires a second factor of the company. An owner without
// one is told to set it up first.
func TestConsolePeopleSecondFactor(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("link", "People")
	d.untilText("Set up your own second factor first")
	if !e2e.Evaluate[bool](d.Tab, `[...document.querySelectorAll('[data-required] button')].every((b) => b.disabled)`) {
		t.Error("an owner without a second factor is offered to require it")
	}
	d.click("button", "Account of Owner")
	d.setUpFactor("people-factor")
	d.press(kb.Escape)
	d.click("button", "Require it of everybody…")
	d.untilText("People without one are signed out")
	d.onAllScreens("people-require")
	d.click("button", "Yes, require it")
	d.until("it to be required", `document.querySelector('[data-required="true"]')`)
	d.onAllScreens("people-required")
	d.click("button", "No longer require it")
	d.until("it to be free again", `document.querySelector('[data-required="false"]')`)
	d.faultless("WebSocket")
}

// TestConsolePeopleOperator checks what an operator sees of the people, and leaves.
func TestConsolePeopleOperator(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	d := openConsole(t, p.Base, phone)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	d.click("link", "People")
	d.untilText("as operator")
	if d.look("button", "Invite")+d.look("button", "Change …") != 0 {
		t.Error("an operator is offered to manage people")
	}
	d.onAllScreens("people-operator")
	d.Do(phone.emulated())
	d.click("button", "Leave …")
	d.click("button", "Yes, leave")
	d.find("button", "Sign in")
	if status, _ := owner.Call("GET", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), nil); status != 404 {
		t.Errorf("Bea is still there: %d", status)
	}
	d.faultless("403", "WebSocket")
}

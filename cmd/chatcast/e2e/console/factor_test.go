package console

import (
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/pquerna/otp/totp"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
)

// setUpFactor sets up the second factor with the form that is shown, and returns a
// recovery code.
func (d *consoleTab) setUpFactor(page string) string {
	d.T.Helper()
	d.click("button", "Set up…")
	d.fill("textbox", "Your password", e2e.OwnerPassword)
	d.click("button", "Continue")
	d.find("textbox", "Code that the app shows")
	d.onAllScreens(page)
	secret := e2e.Evaluate[string](d.Tab, `document.querySelector('.factor code').innerText.replaceAll(' ', '')`)
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		d.T.Fatal(err)
	}
	d.fill("textbox", "Code that the app shows", code)
	d.click("button", "Confirm")
	d.find("button", "I have kept them")
	d.onAllScreens(page + "-recovery")
	recovery := e2e.Evaluate[string](d.Tab, `document.querySelector('.codes code').innerText`)
	d.click("button", "I have kept them")
	return recovery
}

// TestConsoleAccount checks that the account's sheet ends other sessions and sets up the
// second factor, and that the sign-in page asks for a code then.
func TestConsoleAccount(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	other := p.SignIn(t)
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("button", "Account of Owner")
	d.find("button", "End the session of Go-http-client/1.1")
	d.onAllScreens("account-sessions")
	d.click("button", "End the session of Go-http-client/1.1")
	d.until("the session to go", `!document.querySelector('dialog[open]').innerText.includes('Go-http-client')`)
	if status, answer := other.Call("GET", "/v1/me", nil); status != http.StatusForbidden {
		t.Errorf("the ended session is answered %d %s", status, answer)
	}
	d.until("the page to be back", `document.querySelector('.pill[data-state="connected"][data-settled="true"]')`)

	recovery := d.setUpFactor("account-factor")
	d.untilText("A sign-in needs a code")
	d.press(kb.Escape)
	d.live()
	d.click("button", "Account of Owner")
	d.click("button", "Sign out")
	d.signIn(e2e.OwnerEmail, e2e.OwnerPassword)
	d.untilText("This account has a second factor")
	d.until("the focus in the code", `document.activeElement.name === 'code'`)
	d.onAllScreens("sign-in-code")
	d.fill("textbox", "Code", "000000")
	d.click("button", "Sign in")
	d.untilText("The code is wrong")
	d.fill("textbox", "Code", recovery)
	d.click("button", "Sign in")
	d.live()

	d.click("button", "Account of Owner")
	d.click("button", "Remove…")
	d.fill("textbox", "Code of the app, or a recovery code", recovery)
	d.click("button", "Remove the second factor")
	d.untilText("is wrong, or was used already")
	d.faultless("422", "WebSocket")
	d.askedOnly(recovery)
}

// TestConsoleMustEnrol checks that a person whose company requires a second factor can
// only set it up, and is then where they wanted to be.
func TestConsoleMustEnrol(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	if err := p.Components().Store.Tx(t.Context(), func(tx *models.Tx) error { return tx.SetRequireTOTP(2224, true) }); err != nil {
		t.Fatal(err)
	}
	d := openConsole(t, p.Base, desktop)
	d.signIn(e2e.OwnerEmail, e2e.OwnerPassword)
	d.untilText("Your company requires a second factor")
	d.Do(chromedp.Reload())
	d.untilText("Your company requires a second factor")
	d.setUpFactor("must-enrol")
	d.live()
	d.faultless()
}

// TestConsoleReset checks the page that the link of a reset opens.
func TestConsoleReset(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	code, _, err := p.Components().Rules.HostUsers().ResetCode(t.Context(), e2e.OwnerEmail)
	if err != nil {
		t.Fatal(err)
	}
	d := openConsole(t, p.Base, desktop)
	for _, refused := range []bool{false, true} { // the code works once
		d.visit("/#/reset/" + code)
		d.fill("textbox", "New password, at least 8 characters", "another password")
		d.onAllScreens("reset")
		d.click("button", "Change the password")
		if refused {
			d.untilText("the code is wrong, was used, or has expired")
			break
		}
		d.untilText("Your password is changed")
		d.signIn(e2e.OwnerEmail, "another password")
		d.live()
	}
	d.faultless("403")
}

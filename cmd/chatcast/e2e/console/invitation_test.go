package console

import (
	"testing"

	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
)

// invited creates a company and returns the link of its owner's invitation, as the
// program at base serves it.
func invited(owner *e2e.Client, name, email string) string {
	owner.T.Helper()
	var made struct{ Invitation struct{ Link string } }
	owner.Must("POST", "/v1/companies", map[string]any{"name": name, "ownerEmail": email}, &made)
	return made.Invitation.Link
}

// TestConsoleInvitation follows links of invitations as a person without an account, and
// then with it: signed in, signed out, as somebody else, and with a password that others
// know.
func TestConsoleInvitation(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	const email, password, second = "ann@example.com", "Ann's own password", "Ann's second password"
	link := invited(owner, "Second shop", email)
	d := openConsole(t, p.Base, phone)

	d.Do(chromedp.Navigate(link))
	d.untilText("You are invited to work for Second shop as owner.")
	d.accessible("invitation")
	d.fitsTheScreen("invitation")
	d.fill("textbox", "Your name", "Ann")
	d.fill("textbox", "Choose a password", "short")
	d.click("button", "Accept")
	d.until("the short password to be pointed at", `document.activeElement.matches('[name="password"]:invalid')`)
	d.fill("textbox", "Choose a password", password)
	d.Picture("invitation")
	d.click("button", "Accept")
	d.live()
	d.until("the code to be gone from the address", `location.hash === '#/live'`)
	var me struct {
		ID        int64
		Name      string
		Companies []struct{ Name, Role string }
	}
	p.SignInAs(t, email, password).Must("GET", "/v1/me", nil, &me)
	if me.Name != "Ann" || len(me.Companies) != 1 || me.Companies[0].Role != "owner" {
		t.Errorf("%+v", me)
	}

	d.Do(chromedp.Navigate(link), chromedp.Reload())
	d.untilText("This invitation was accepted or revoked, or has expired.")

	// Signed in.
	d.Do(chromedp.Navigate(invited(owner, "Third shop", email)), chromedp.Reload())
	d.untilText("You accept as Ann, " + email)
	d.click("button", "Accept")
	d.live()

	// Signed in, with a password that somebody else knows.
	err := p.Components().Store.Tx(t.Context(), func(tx *models.Tx) error {
		u, err := tx.UserByID(me.ID)
		if err != nil {
			return err
		}
		u.PasswordKnown = true
		return tx.SaveUser(u)
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Do(chromedp.Navigate(invited(owner, "Fourth shop", email)), chromedp.Reload())
	d.click("button", "Accept")
	d.untilText("Somebody else chose the password of this account.")
	d.fill("textbox", "The password of your account", password)
	d.fill("textbox", "Choose a password", second)
	d.click("button", "Accept")
	d.live()

	// Signed in as somebody else, and then signed out.
	d.Do(chromedp.Navigate(invited(owner, "Fifth shop", "bob@example.com")), chromedp.Reload())
	d.untilText("The invitation is for bob@example.com, and you are signed in as " + email)
	d.click("button", "Sign out")
	d.find("textbox", "Your name")
	d.Do(chromedp.Navigate(invited(owner, "Sixth shop", email)), chromedp.Reload())
	d.fill("textbox", "Your name", "Ann")
	d.fill("textbox", "Choose a password", "not her password")
	d.click("button", "Accept")
	d.untilText("there is an account with this e-mail already")
	d.fill("textbox", "The password of your account", second)
	d.click("button", "Accept")
	d.live()

	p.SignInAs(t, email, second).Must("GET", "/v1/me", nil, &me)
	if len(me.Companies) != 4 {
		t.Errorf("Ann works for %+v", me.Companies)
	}
	d.faultless("403", "404", "422")
	d.askedOnly()
}

// TestConsoleChangePassword changes the password in the menu of the account. The page
// goes on with a new socket.
func TestConsoleChangePassword(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("button", "Account of Owner")
	d.click("button", "Change the password")
	d.fill("textbox", "Current password", "not the password")
	d.fill("textbox", "New password", "another password")
	d.click("button", "Change it")
	d.untilText("currentPassword is wrong")
	d.Picture("password")
	d.fill("textbox", "Current password", e2e.OwnerPassword)
	d.click("button", "Change it")
	d.untilText("The password is changed.")
	d.press("\x1b")
	d.live()
	p.SignInAs(t, e2e.OwnerEmail, "another password")
	d.faultless("422")
	d.askedOnly()
}

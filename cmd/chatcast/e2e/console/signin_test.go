package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleSignIn opens the sign-in page, and causes all its errors.
func TestConsoleSignIn(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), desktop)

	d.until("the focus in the first field", `document.activeElement.name === 'email'`)
	d.click("button", "Sign in")
	d.until("the empty field to be pointed at", `document.activeElement.matches('[name="email"]:invalid')`)

	const wrong = "The e-mail or the password is wrong."
	for _, email := range []string{e2e.OwnerEmail, "nobody@example.com"} { // known and unknown accounts get the same answer
		d.signIn(email, "not the password")
		d.until("the refusal", `document.querySelector('[role="alert"]').innerText === `+quote(wrong))
		d.until("the password to be typed again", `document.activeElement.name === 'password'`)
		d.Do(chromedp.Reload())
	}
	d.signIn("nobody@example.com", "not the password")
	for range 6 { // an account has five attempts at once
		d.until("an answer", `!document.querySelector('button.primary').disabled`)
		if strings.Contains(d.text(), "Too many tries. Wait ") {
			break
		}
		d.click("button", "Sign in")
	}
	d.until("to be slowed down", `/Too many tries\. Wait \d+ seconds?\./.test(document.querySelector('[role="alert"]').innerText)`)
	d.Picture("throttled")
	if kept := e2e.Evaluate[int](d.Tab, `sessionStorage.length`); kept != 0 {
		t.Errorf("%d things are kept of a sign-in that failed", kept)
	}

	line.Pull()
	d.signIn(e2e.OwnerEmail, e2e.OwnerPassword)
	d.untilText("The server does not answer.")
	line.Mend()
	d.click("button", "Sign in")
	d.live()
	d.until("the first view", `document.title === 'Live · chatcast'`)
	d.faultless("403", "429", "422", "ERR_")
	d.askedOnly()
}

// TestConsoleBesideListedOrigins: a list of other pages, of the server and of the app, does
// not shut the console out.
func TestConsoleBesideListedOrigins(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Server.AllowedOrigins = []string{"https://crm.example.com"}
	cfg.Apps[0].AllowedOrigins = []string{"https://shop.example.com"}
	d := openConsole(t, e2e.Start(t, cfg).Base, desktop)
	d.enter()
	d.live()
}

// TestConsoleSignOut checks that the session is over, on the server and in the page.
func TestConsoleSignOut(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("link", "Send")
	access, refresh := d.tokens()
	mine := &e2e.Client{T: t, Base: p.Base, Token: access}
	mine.Must("GET", "/v1/me", nil, nil)

	d.click("button", "Account of Owner")
	d.Picture("account")
	d.click("button", "Sign out")
	d.find("button", "Sign in")
	if status, answer := mine.Call("GET", "/v1/me", nil); status != http.StatusForbidden {
		t.Errorf("the token still works: %d %s", status, answer)
	}
	if status, _ := mine.Call("POST", "/v1/tokens/refresh", map[string]any{"refreshToken": refresh}); status != http.StatusForbidden {
		t.Errorf("the refresh token still works: %d", status)
	}
	if kept := e2e.Evaluate[string](d.Tab, `JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie`); strings.Contains(kept, access) || strings.Contains(kept, refresh) {
		t.Errorf("the page keeps %s", kept)
	}
	d.Do(chromedp.NavigateBack())
	d.find("button", "Sign in")
	if text := d.text(); strings.Contains(text, "Owner") {
		t.Errorf("the page shows, on the way back:\n%s", text)
	}
	d.faultless()
	d.askedOnly(access, refresh)
}

// TestConsoleSignOutUntold checks that the page says so when it cannot reach the server
// to end the tokens.
func TestConsoleSignOutUntold(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), phone)
	d.enter()
	line.Pull()
	d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	d.click("button", "Account of Owner")
	d.click("button", "Sign out")
	d.untilText("the server could not be told")
	if kept := e2e.Evaluate[int](d.Tab, `sessionStorage.length`); kept != 0 {
		t.Errorf("%d things are kept", kept)
	}
	d.Picture("untold")
	d.faultless("ERR_", "WebSocket")
}

// tokens returns the tokens that the page holds.
func (d *consoleTab) tokens() (access, refresh string) {
	d.T.Helper()
	kept := e2e.Evaluate[struct{ AccessToken, RefreshToken string }](d.Tab, `JSON.parse(sessionStorage.getItem('chatcast.session'))`)
	if kept.AccessToken == "" || kept.RefreshToken == "" {
		d.T.Fatal("the page holds no tokens")
	}
	return kept.AccessToken, kept.RefreshToken
}

// askedOnly fails if the tab sent a request to another server than its own, or had a
// secret in a URL.
func (d *consoleTab) askedOnly(secrets ...string) {
	d.T.Helper()
	if e2e.Evaluate[bool](d.Tab, `sessionStorage.getItem('chatcast.session') !== null`) {
		access, refresh := d.tokens()
		secrets = append(secrets, access, refresh)
	}
	if stored := e2e.Evaluate[string](d.Tab, `JSON.stringify(localStorage) + document.cookie + document.referrer + location.href`); holds(stored, secrets) {
		d.T.Errorf("a token is in %s", stored)
	}
	host := strings.TrimPrefix(d.base, "http://") // and path
	name, _, _ := strings.Cut(host, "/")
	d.seen.Lock()
	defer d.seen.Unlock()
	if len(d.seen.urls) == 0 {
		d.T.Error("the page asked for nothing")
	}
	for _, url := range d.seen.urls {
		rest, own := "", false
		for _, scheme := range []string{"http", "ws", "wss"} { // pusher-js tries wss when ws fails for long
			if !own {
				rest, own = strings.CutPrefix(url, scheme+"://"+host+"/")
			}
		}
		if inside := strings.HasPrefix(url, "data:") || strings.HasPrefix(url, "blob:http://"+name+"/"); !own && !inside {
			d.T.Errorf("the page asked for %s", url)
		}
		if holds(rest, secrets) {
			d.T.Errorf("a token is in the address %s", url)
		}
	}
	for _, from := range d.seen.referrers {
		if holds(from, secrets) {
			d.T.Errorf("a token is in the referrer %s", from)
		}
	}
}

func holds(text string, secrets []string) bool {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

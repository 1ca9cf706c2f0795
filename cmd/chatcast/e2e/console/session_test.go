package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
)

// expire ends an access token on the server before its time. The pair can still
// be refreshed.
func expire(r *e2e.Running, t testing.TB, access string) {
	t.Helper()
	sum := sha256.Sum256([]byte(access))
	err := r.Components().Store.Tx(context.Background(), func(tx *models.Tx) error {
		row, err := tx.TokenByAccess(hex.EncodeToString(sum[:]))
		if err != nil {
			return err
		}
		if err := tx.RevokeToken(row.ID, row.CreatedAt); err != nil {
			return err
		}
		row.ID, row.AccessExpiresAt = 0, 1
		return tx.CreateToken(row)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// flicker cuts the page off and reconnects it, so that it must authorize its channels
// again.
func (d *consoleTab) flicker(line *e2e.Cable) {
	d.T.Helper()
	line.Pull()
	d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	line.Mend()
}

// TestConsoleTokenExpires checks that a token is refreshed unnoticed, before it expires
// and when it has expired while the page is open.
func TestConsoleTokenExpires(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), desktop)
	d.enter()
	first, _ := d.tokens()

	expire(p, t, first)
	d.flicker(line)
	d.until("another token", `!sessionStorage.getItem('chatcast.session').includes(`+quote(first)+`)`)
	d.live()
	second, _ := d.tokens()
	(&e2e.Client{T: t, Base: p.Base, Token: second}).Must("GET", "/v1/me", nil, nil)

	// The page was told that this token expires in half a minute. Do not wait for that.
	e2e.Evaluate[any](d.Tab, `(() => {
		const kept = JSON.parse(sessionStorage.getItem('chatcast.session'));
		kept.accessTokenEndTime = Math.floor(Date.now() / 1000) + 30;
		sessionStorage.setItem('chatcast.session', JSON.stringify(kept));
	})()`)
	d.Do(chromedp.Reload())
	d.until("a third token", `!sessionStorage.getItem('chatcast.session').includes(`+quote(second)+`)`)
	d.live()
	d.faultless("403", "ERR_", "WebSocket")
	d.askedOnly(first, second)
}

// TestConsoleSessionEnds checks that, when the session cannot be refreshed, the page says
// why it asks for the password, and then goes on where it was.
func TestConsoleSessionEnds(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	line := e2e.LayCable(t, p.Address())
	d := openConsole(t, line.Base(), desktop)
	d.enter()
	d.AllowStrange()
	appears := func(text string) { // on the page alone: the journal, with which Live begins, does not have it
		ev := broadcasting.Event{App: p.Components().Apps.First().ID, Channel: e2e.UserChannel, Name: text, Data: "{}"}
		if err := p.Components().Engine.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		d.untilText(text)
	}
	appears("helloBefore")

	ends := func() {
		access, _ := d.tokens()
		(&e2e.Client{T: t, Base: p.Base, Token: access}).Must("DELETE", "/v1/tokens", nil, nil)
		d.flicker(line) // the page may find out whether the session has ended, or have to try again
		d.untilText("Your session has ended.")
	}
	ends()
	d.Picture("ended")
	if strings.Contains(d.text(), "helloBefore") {
		t.Error("events are shown to nobody in particular")
	}
	if kept := e2e.Evaluate[int](d.Tab, `sessionStorage.length`); kept != 0 {
		t.Errorf("%d things are kept of a session that is over", kept)
	}
	d.enter()
	d.untilText("helloBefore")

	// Another user at the same page does not see the first one's data.
	owner.Hire(p)
	ends()
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	d.until("no event of before", `document.querySelector('[data-test="channels"]') && !document.body.innerText.includes('helloBefore')`)
	d.click("button", "Account of …")
	d.click("button", "Sign out")

	// Signing out leaves no data behind, not even for the same user.
	d.enter()
	appears("helloAgain")
	d.click("button", "Pause") // the paused list is a copy
	d.click("button", "Account of Owner")
	d.click("button", "Sign out")
	d.enter()
	d.find("button", "Pause")
	if strings.Contains(d.text(), "helloAgain") {
		t.Error("the page still has what it showed before the sign-out")
	}
	d.faultless("403", "ERR_", "WebSocket")
}

// TestConsolePasswordChanged checks that the sockets are closed at once, with 4009, and
// that the page says that the session is over.
func TestConsolePasswordChanged(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	bea, _ := p.SignIn(t).Hire(p)
	d := openConsole(t, p.Base, phone)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	const other = "another password of the tests"
	bea.Must("PATCH", "/v1/me", map[string]any{"password": other, "currentPassword": e2e.OwnerPassword}, nil)
	d.find("button", "Sign in")
	d.until("the reason", `/session/.test(document.querySelector('[role="status"]').innerText)`)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.untilText("The e-mail or the password is wrong.")
	d.signIn("bea@example.com", other)
	d.live()
	d.faultless("403")
}

// TestConsoleTwoTabs duplicates a tab, which then has the same tokens. One tab refreshes
// them; the other goes on with the new ones.
func TestConsoleTwoTabs(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	line := e2e.LayCable(t, p.Address())
	first := openConsole(t, line.Base(), desktop)
	first.enter()
	second := first.opens(func() {
		first.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.open('/') !== null`, func(p *cdpruntime.EvaluateParams) { p.UserGesture = new(true) }))
			return err
		}))
	})
	second.live()
	access, _ := first.tokens()
	if copied, _ := second.tokens(); copied != access {
		t.Fatal("the second tab has no copy of the session")
	}

	expire(p, t, access)
	line.Pull()
	for _, d := range []*consoleTab{first, second} {
		d.until("the loss to be seen", `!document.querySelector('.pill[data-state="connected"]')`)
	}
	line.Mend()
	for _, d := range []*consoleTab{first, second} {
		d.until("another token", `!sessionStorage.getItem('chatcast.session').includes(`+quote(access)+`)`)
		d.front()
		d.live()
		now, _ := d.tokens()
		if status, answer := (&e2e.Client{T: t, Base: p.Base, Token: now}).Call("GET", "/v1/me", nil); status != http.StatusOK {
			t.Errorf("a tab has a token that is %d %s", status, answer)
		}
	}

	// Signing out in one tab signs out its copies.
	first.front()
	first.click("button", "Account of Owner")
	first.click("button", "Sign out")
	second.front()
	second.find("button", "Sign in")
}

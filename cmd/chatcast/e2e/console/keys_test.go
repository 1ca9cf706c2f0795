package console

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleKeys makes keys for programs, uses one, and revokes it.
func TestConsoleKeys(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("link", "People")
	d.untilText("There is no key yet.")
	d.click("button", "Make a key…")
	d.until("the focus in the field", `document.activeElement.name === 'name'`)
	d.fill("textbox", "Name", "Shop sync")
	d.click("checkbox", "Read chats, messages and events")
	d.click("checkbox", "Send messages; with reading, work on chats")
	d.click("button", "Make the key")
	d.untilText("Choose at least one right.")
	d.click("checkbox", "Read chats, messages and events")
	d.choose("For", "My license, [WEB] WhatsApp")
	d.onAllScreens("key-make")
	d.click("button", "Make the key")
	d.find("dialog", "The key Shop sync is ready")
	d.onAllScreens("key-made")
	key := e2e.Evaluate[string](d.Tab, `document.querySelector('[data-test="key"]').value`)
	d.allow("clipboard-read", "clipboard-write")
	d.click("button", "Copy the key")
	d.untilText("Copied")
	if copied := e2e.Evaluate[string](d.Tab, `navigator.clipboard.readText()`); copied != key || !strings.HasPrefix(key, "cck_") {
		t.Errorf("copied is %s, shown %s", copied, key)
	}
	d.click("button", "Done")
	d.until("no key on the page", fmt.Sprintf("!document.documentElement.outerHTML.includes(%q)", key))

	program := &e2e.Client{T: t, Base: p.Base, Token: key}
	var licenses []struct{ Messenger []struct{ Type string } }
	program.Must("GET", "/v1/licenses", nil, &licenses)
	if len(licenses) != 1 || len(licenses[0].Messenger) != 1 {
		t.Errorf("the key sees %+v", licenses)
	}
	d.click("link", "Live")
	d.click("link", "People")
	d.until("the use of the key", `/Shop sync\s*read[\s\S]*My license[\s\S]*last used/.test(document.querySelector('[data-key]').innerText)`)
	d.onAllScreens("keys")
	d.click("button", "Revoke the key Shop sync")
	d.click("button", "Really revoke?")
	d.untilText("There is no key yet.")
	if status, _ := program.Call("GET", "/v1/licenses", nil); status != 403 {
		t.Errorf("the revoked key is answered %d", status)
	}
	d.click("link", "Audit")
	d.untilText("Key for a program revoked")
	d.faultless()
	d.askedOnly()
}

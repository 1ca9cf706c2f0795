package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleAudit reads the audit log as its owner: what a person did, what failed, what
// a filter leaves, older pages; and not as an operator.
func TestConsoleAudit(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, beaID := owner.Hire(p)
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"onlyMine": true}, nil)
	nobody := &e2e.Client{T: t, Base: p.Base}
	if status, answer := nobody.Call("POST", "/v1/tokens", map[string]string{"email": e2e.OwnerEmail, "password": "TYPED"}); status != http.StatusForbidden {
		t.Fatalf("a wrong password is answered %d %s", status, answer)
	}
	owner.Eventually("the failed sign-in is not in the log", func() bool {
		_, log := owner.Call("GET", "/v1/audit?action=session.refused", nil)
		return strings.Contains(string(log), "session.refused")
	})

	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("link", "Audit")
	row := func(action string, parts ...string) {
		t.Helper()
		d.until(action, `[...document.querySelectorAll('tr[data-action="`+action+`"]')].some((r) => `+jsonArray(parts)+`.every((p) => r.innerText.includes(p)))`)
	}
	row("session.refused", "Sign-in failed", "somebody who had not signed in", e2e.OwnerEmail, "127.0.0.1", "wrong password")
	row("session.signedIn", "Signed in", "bea@example.com", "Go-http-client")
	row("invitation.accepted", "bea@example.com", "newAccount: true")
	row("employee.changed", e2e.OwnerEmail, "onlyMine: true (was false)")
	row("company.made", "the server’s owner")
	if strings.Contains(d.text(), "TYPED") {
		t.Error("the password that was typed is shown")
	}
	d.onAllScreens("audit")
	for _, on := range screens {
		d.Do(on.emulated())
		d.rest()
		if broken := e2e.Evaluate[[]string](d.Tab, brokenAddresses); len(broken) > 0 {
			t.Errorf("%s: these addresses are broken within a word: %q", on.name, broken)
		}
	}

	only := func(action string) {
		t.Helper()
		d.until("nothing but "+action, `(() => {
			const rows = [...document.querySelectorAll('tr[data-action]')];
			return rows.length > 0 && rows.every((r) => r.dataset.action.startsWith('`+action+`'));
		})()`)
	}
	d.choose("What", "Employees")
	only("employee.")
	d.choose("What", "Apps")
	d.untilText("No entry matches.")
	d.onAllScreens("audit-none")
	d.click("button", "Clear the filter")
	row("invitation.made", e2e.OwnerEmail)
	d.choose("Person", "Bea (bea@example.com)")
	d.until("nothing of the company", `!document.querySelector('tr[data-action="company.made"]')`)
	row("employee.changed", "bea@example.com")
	d.click("button", "Clear the filter")
	row("company.made")
	d.click("button", "bea@example.com") // who did something can be clicked
	d.until("what Bea did and what was done to her", `!document.querySelector('tr[data-action="company.made"]') && document.querySelector('tr[data-action="session.signedIn"]')`)
	d.click("button", "Clear the filter")

	for i := range 51 {
		owner.Must("PATCH", "/v1/licenses/1229", map[string]string{"name": fmt.Sprint("Name ", i)}, nil)
	}
	d.click("button", "Refresh")
	d.untilText("the newest 50")
	d.click("button", "Show older entries")
	row("company.made")
	d.faultless("403")

	d = openConsole(t, p.Base, desktop)
	d.signIn("bea@example.com", e2e.OwnerPassword)
	d.live()
	if d.look("link", "Audit") != 0 {
		t.Error("an operator is offered the audit log")
	}
	e2e.Evaluate[any](d.Tab, `location.hash = '#/audit'`)
	d.untilText("Only owners and admins may read the audit log")
	d.onAllScreens("audit-forbidden")
	d.faultless()
}

// brokenAddresses is JavaScript for the e-mail addresses in the table of which a part
// between the signs is on two lines.
const brokenAddresses = `(() => {
	const broken = [], texts = document.createTreeWalker(document.querySelector('.audit-table'), NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (texts.nextNode()) {
		const text = texts.currentNode, cell = text.parentElement.closest('td, th');
		if (!cell.textContent.includes('@')) continue;
		for (const part of text.data.matchAll(/[\w-]+/g)) {
			const range = new Range();
			range.setStart(text, part.index);
			range.setEnd(text, part.index + part[0].length);
			seen++;
			if (new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1) broken.push(part[0] + ' of ' + cell.textContent);
		}
	}
	return seen > 0 ? broken : ['no address is there'];
})()`

// jsonArray returns a JavaScript array of the texts.
func jsonArray(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// until waits for an expression of the page to be true. It evaluates it again whenever
// the page changes, and continues after a navigation.
func (d *consoleTab) until(what, expression string) {
	d.T.Helper()
	script := `new Promise((done) => {
		const is = () => { try { return Boolean(` + expression + `); } catch { return false; } };
		if (is()) return done(true);
		let changes, often;
		const look = () => { if (is()) { changes.disconnect(); clearInterval(often); done(true); } };
		changes = new MutationObserver(look);
		changes.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
		often = setInterval(look, 100); // what changes no element
		setTimeout(() => { changes.disconnect(); clearInterval(often); done(is()); }, 5000);
	})`
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		is, err := chromedp.Run(d.Ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
		if is {
			return
		}
		if err != nil && d.Ctx.Err() != nil {
			d.T.Fatalf("waited for %s: %v", what, err)
		}
	}
	d.Picture("in-vain")
	d.seen.Lock()
	faults := strings.Join(d.seen.faults, "\n")
	d.seen.Unlock()
	d.T.Fatalf("waited for %s in vain; the page shows:\n%s\nand met:\n%s", what, d.text(), faults)
}

// untilText waits for visible text.
func (d *consoleTab) untilText(text string) {
	d.T.Helper()
	d.until(fmt.Sprintf("the text %q", text), `document.body.innerText.includes(`+quote(text)+`)`)
}

// text returns the visible text of the page.
func (d *consoleTab) text() string {
	d.T.Helper()
	return e2e.Evaluate[string](d.Tab, `document.body.innerText`)
}

// quote returns text as a JavaScript literal.
func quote(text string) string {
	b, _ := json.Marshal(text) // a string can always be encoded
	return string(b)
}

// find waits for the element with a role and an accessible name. In the name, …
// matches any text.
func (d *consoleTab) find(role, name string) cdp.BackendNodeID {
	d.T.Helper()
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		if id := d.look(role, name); id != 0 {
			return id
		}
		e2e.Evaluate[any](d.Tab, nextChange)
	}
	d.Picture("in-vain")
	d.T.Fatalf("there is no %s %q on the page:\n%s", role, name, d.text())
	return 0
}

// nextChange is a promise for the page's next change, or half a second at the latest:
// what is on the screen may change without the elements.
const nextChange = `new Promise((done) => {
	const changes = new MutationObserver(() => { changes.disconnect(); done(null); });
	changes.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
	setTimeout(() => { changes.disconnect(); done(null); }, 500);
})`

// look is find without waiting. It returns 0 if there is no such element.
func (d *consoleTab) look(role, name string) (found cdp.BackendNodeID) {
	d.T.Helper()
	open := strings.Contains(name, "…")
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		root, err := cdp.Call(ctx, target, dom.GetDocument, dom.GetDocumentParams{})
		if err != nil {
			return err
		}
		wanted := accessibility.QueryAXTreeParams{NodeID: root.Root.NodeID, Role: role}
		if !open {
			wanted.AccessibleName = name
		}
		tree, err := cdp.Call(ctx, target, accessibility.QueryAXTree, wanted)
		if err != nil {
			return nil // the page was left meanwhile
		}
		for _, n := range tree.Nodes {
			var named string
			if n.Name != nil {
				_ = json.Unmarshal(n.Name.Value, &named) // no name is none
			}
			if !n.Ignored && (!open || fits(name, named)) {
				found = n.BackendDOMNodeID
				return nil
			}
		}
		return nil
	}))
	return found
}

// fits reports whether a name matches pattern.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, "…")
	last := len(parts) - 1
	for i, part := range parts {
		at := strings.Index(name, part)
		switch {
		case i == last && !strings.HasSuffix(name, part), at < 0, i == 0 && at > 0:
			return false
		}
		name = name[at+len(part):]
	}
	return true
}

// at calls a JavaScript function on an element. It awaits a promise.
func (d *consoleTab) at(id cdp.BackendNodeID, function string, args ...any) (result json.RawMessage, err error) {
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		var node dom.ResolveNodeResult
		if node, err = cdp.Call(ctx, target, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id}); err != nil {
			return nil
		}
		result, err = chromedp.Run(ctx, chromedp.CallFunctionOn[json.RawMessage](function, func(p *cdpruntime.CallFunctionOnParams) {
			p.ObjectID, p.AwaitPromise = node.Object.ObjectID, new(true)
		}, args...))
		return nil
	}))
	return result, err
}

// fill replaces the text of the field with this name.
func (d *consoleTab) fill(role, name, text string) {
	d.T.Helper()
	d.click(role, name)
	if _, err := d.at(d.find(role, name), `function() { this.select?.(); return null; }`); err != nil {
		d.T.Fatal(err)
	}
	d.press(kb.Delete)
	d.press(text)
}

// rest waits until the page has drawn and has done what follows that: no user presses a
// key sooner.
func (d *consoleTab) rest() {
	d.T.Helper()
	e2e.Evaluate[any](d.Tab, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(null)))))`)
}

// press presses keys, one after the other, wherever the focus is. A key writes its text
// on key down, so a page that handles the key itself gets no text, as with a keyboard.
func (d *consoleTab) press(keys string) {
	d.T.Helper()
	d.rest()
	d.strike(keys)
}

// strike is press without the rest before it.
func (d *consoleTab) strike(keys string) {
	d.T.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for _, r := range keys {
			var down, up *input.DispatchKeyEventParams
			for _, k := range kb.Encode(r) {
				switch k.Type {
				case kb.KeyChar:
					down.Text, down.UnmodifiedText = k.Text, k.UnmodifiedText
				case kb.KeyUp:
					up = k
				default:
					down = k
				}
			}
			for _, k := range []*input.DispatchKeyEventParams{down, up} {
				if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, *k); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// signIn fills in the sign-in page.
func (d *consoleTab) signIn(email, password string) {
	d.T.Helper()
	d.fill("textbox", "E-mail", email)
	d.fill("textbox", "Password", password)
	d.click("button", "Sign in")
}

// enter signs the owner in, and waits until all channels are live.
func (d *consoleTab) enter() {
	d.T.Helper()
	d.signIn(e2e.OwnerEmail, e2e.OwnerPassword)
	d.live()
}

// visit navigates to another page of the program.
func (d *consoleTab) visit(address string) {
	d.T.Helper()
	d.Do(chromedp.Navigate("about:blank"), chromedp.Navigate(d.base+address))
}

// live waits until the page is connected, and all its channels are granted or refused.
func (d *consoleTab) live() {
	d.T.Helper()
	d.find("button", "Connection: live…")
	d.until("all subscriptions", `document.querySelector('.pill[data-state="connected"][data-settled="true"]')`)
}

// allow grants the page permissions that a browser asks the user for.
func (d *consoleTab) allow(permissions ...string) {
	d.T.Helper()
	for _, name := range permissions {
		d.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
				Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted,
				Origin: d.base, BrowserContextID: chromedp.FromContext(d.Ctx).BrowserContextID,
			})
			return err
		}))
	}
}

// fails lets requests for this part of a path get no answer, until window.mended is true
// or the page is reloaded.
func (d *consoleTab) fails(part string) {
	d.T.Helper()
	e2e.Evaluate[any](d.Tab, `(() => { const ask = fetch; window.fetch = (path, init) => {
		if (!window.mended && String(path).includes(`+quote(part)+`)) return Promise.reject(new TypeError('no network'));
		return ask(path, init);
	}; })()`)
}

package console

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsolePlace sends a place that somebody chose: nothing goes out before, and what
// is no place is pointed at.
func TestConsolePlace(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	anna.writes(owner, "A1", "Where are you?")
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.opensChat(anna.name)
	d.click("button", "Send a place")
	d.find("dialog", "Send a place to "+anna.name)
	d.until("the focus in the field", `document.activeElement.name === 'where'`)
	d.click("button", "Send this place")
	d.untilText("Give the place")
	const where = "Coordinates, or a map’s link"
	for _, wrong := range []string{"Lisbon", "91, 0", "https://maps.app.goo.gl/AbCd"} {
		d.fill("textbox", where, wrong)
		d.click("button", "Send this place")
		d.untilText("There are no coordinates in this.")
	}
	d.onAllScreens("place-wrong")
	if got := outgoing(owner, anna.phone); len(got) != 0 {
		t.Errorf("sent before anything was chosen: %q", got)
	}
	d.fill("textbox", where, "https://www.openstreetmap.org/#map=17/38.70775/-9.13659")
	d.untilText("Latitude 38.70775, longitude -9.13659.")
	d.fill("textbox", "Name, if it has one", "The shop")
	d.fill("textbox", "Address, if you want to give it", "Rua Nova 1")
	d.onAllScreens("place")
	d.click("button", "Send this place")
	d.until("the place", `!document.querySelector('dialog') && document.querySelector('[role="log"]').innerText.includes('The shop')`)

	// It is known now: two clicks send it again.
	d.click("button", "Send a place")
	d.click("button", "The shop")
	d.untilText("Latitude 38.70775, longitude -9.13659.")
	d.onAllScreens("place-known")
	d.press(kb.Enter) // the focus is on the button that sends it
	d.until("the sheet to be closed", `!document.querySelector('dialog')`)
	want := "38.70775 -9.13659 The shop, Rua Nova 1"
	if got := outgoing(owner, anna.phone); !slices.Equal(got, []string{want, want}) {
		t.Errorf("sent were %q", got)
	}
	d.faultless()
	d.askedOnly()
}

// chooses gives files to the input of the composer, as the dialog of the browser does.
func (d *consoleTab) chooses(paths ...string) {
	d.T.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		root, err := cdp.Call(ctx, target, dom.GetDocument, dom.GetDocumentParams{})
		if err != nil {
			return err
		}
		found, err := cdp.Call(ctx, target, dom.QuerySelector, dom.QuerySelectorParams{NodeID: root.Root.NodeID, Selector: `[data-test="file"]`})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, target, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: paths, NodeID: found.NodeID})
		return err
	}))
}

// drags moves files over the middle of an element, and drops them there.
func (d *consoleTab) drags(over string, while func(), paths ...string) {
	d.T.Helper()
	at := e2e.Evaluate[struct{ X, Y float64 }](d.Tab, `(() => { const b = document.querySelector(`+quote(over)+`).getBoundingClientRect(); return {x: b.x + b.width / 2, y: b.y + b.height / 2}; })()`)
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
	step := func(kind input.DispatchDragEventType) {
		d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: at.X, Y: at.Y, Data: data})
			return err
		}))
	}
	step(input.DispatchDragEventTypeDragEnter)
	step(input.DispatchDragEventTypeDragOver)
	while()
	step(input.DispatchDragEventTypeDrop)
}

// pastes gives a picture to the field with the focus, as the clipboard does.
func (d *consoleTab) pastes(name string, content []byte, text string) {
	d.T.Helper()
	e2e.Evaluate[any](d.Tab, `(() => {
		const bytes = Uint8Array.from(atob(`+quote(base64.StdEncoding.EncodeToString(content))+`), (c) => c.charCodeAt(0));
		const data = new DataTransfer();
		data.items.add(new File([bytes], `+quote(name)+`, {type: 'image/png'}));
		if (`+quote(text)+`) data.setData('text/plain', `+quote(text)+`);
		document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
		return null;
	})()`)
}

// TestConsoleFiles chooses files, pastes and drops them. They are shown with their
// captions before they go, and what did not go out stays.
func TestConsoleFiles(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	anna.writes(owner, "A1", "Have you got a price list?")
	folder := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shop, prices := file("shop.png", photo(480, 320)), file("prices.pdf", []byte("%PDF-1.4 prices"))
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.opensChat(anna.name)
	d.fill("textbox", "Answer "+anna.name, "This is our shop")

	d.chooses(shop, prices)
	d.find("dialog", "Send 2 files to "+anna.name)
	d.until("the preview", `document.querySelector('.chosen img').naturalWidth === 480`)
	d.until("the focus in the first caption", `document.activeElement === document.querySelector('.chosen .input')`)
	d.until("the draft as the caption", `document.querySelector('.chosen .input').value === 'This is our shop'`)
	d.fill("textbox", "Caption of prices.pdf", "Prices of this year")
	d.onAllScreens("files")
	if got := outgoing(owner, anna.phone); len(got) != 0 {
		t.Errorf("sent before it was seen: %q", got)
	}

	// Closed, they wait; in another view, too.
	d.press(kb.Escape)
	d.untilText("2 files are chosen and not sent.")
	d.onAllScreens("files-waiting")
	d.click("link", "Live")
	d.opensChat(anna.name)
	d.click("button", "Show")
	d.find("dialog", "Send 2 files to "+anna.name)

	// A failure keeps what was not sent, in its order.
	d.fails("/messages/file")
	d.click("button", "Send 2")
	d.until("the failure", `document.querySelector('[data-file="shop.png"] .error-text').innerText.includes('broke off')`)
	d.onAllScreens("files-failed")
	e2e.Evaluate[any](d.Tab, `window.mended = true`)
	d.click("button", "Try again")
	d.until("the sheet to be closed", `!document.querySelector('dialog')`)
	d.until("the draft to be gone with the caption", composerText+` === ''`)
	d.until("the picture among the messages", `document.querySelector('.bubble img')?.naturalWidth === 480`)

	// Pasted and dropped: shown as well. Text that comes with a picture of it is text.
	d.click("textbox", "Answer "+anna.name)
	d.pastes("table.png", photo(60, 40), "a\tb")
	if d.look("dialog", "…") != 0 {
		t.Error("a copied table is taken for a picture")
	}
	d.pastes("screen.png", photo(60, 40), "")
	d.find("dialog", "Send a file to "+anna.name)
	d.find("textbox", "Caption of screen.png")
	d.click("button", "Remove screen.png")
	d.until("the sheet to be closed", `!document.querySelector('dialog')`)
	d.drags(".messages", func() {
		d.untilText("Drop files here to send them to " + anna.name)
		d.Picture("files-drop")
	}, shop, prices)
	d.find("dialog", "Send 2 files to "+anna.name)
	d.until("no mark of a drop", `!document.querySelector('.dropping')`)
	d.click("button", "Remove shop.png")
	d.click("button", "Send")
	d.until("the sheet to be closed", `!document.querySelector('dialog')`)
	d.drags(".chats", func() {}, shop) // misses the conversation
	d.until("the console to stay", `location.hash.startsWith('#/send/') && !document.querySelector('dialog')`)

	got := outgoing(owner, anna.phone)
	if want := []string{"prices.pdf: ", "prices.pdf: Prices of this year", "shop.png: This is our shop"}; !slices.Equal(got, want) {
		t.Errorf("sent were\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.faultless()
	d.askedOnly()
}

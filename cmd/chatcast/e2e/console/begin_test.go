package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleLiveBegins checks that Live begins with the last 100 events of the journal,
// in order, before those that come live, and that the other views stay as they are.
func TestConsoleLiveBegins(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	for i := range 110 {
		write(owner, fmt.Sprintf("M%d", i), fmt.Sprintf("earlier text %d", i))
	}
	person{"Lucía Romero", "34612345678"}.writesOn(owner, e2e.TelegramPath, "lucia-1", "¡Hola!")
	chat := e2e.WhatsAppPath + "/chats/79990001122"
	owner.Must("PUT", chat+"/status", map[string]any{"type": "close"}, nil)
	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.said("", "The chat with Ann was closed")
	d.said("", "Lucía Romero: ¡Hola!") // of another line
	write(owner, "live", "live text")
	got := unmarked(d.said("text", "live text"))
	if !strings.HasSuffix(got[len(got)-1], "live text") || !strings.HasSuffix(got[len(got)-2], "earlier text 109") {
		t.Errorf("the list ends with %q", got[max(0, len(got)-3):])
	}
	d.until("the place where it became live", `document.querySelector('[data-test="begin"]').innerText.includes('live since')`)
	d.onAllScreens("live-begins")
	if n := e2e.Evaluate[int](d.Tab, `parseInt(document.querySelector('[data-test="shown"]').innerText)`); n < 101 || n > 106 { // with the return of the owner, and the reopened chat
		t.Errorf("the list has %d events", n)
	}
	d.Do(chromedp.Reload())
	d.said("", "live text")

	// The chat that is open meanwhile stays as it is now.
	e2e.Evaluate[any](d.Tab, `location.hash = '#/send/1229/grWhatsApp/79990001122@c.us'`)
	d.find("textbox", "Answer Ann")
	d.Do(chromedp.Reload())
	d.live()
	d.until("the earlier events", `performance.getEntriesByType('resource').filter((e) => e.name.includes('newest=true') && e.responseEnd > 0).length === 4`)
	d.rest()
	d.until("the chat, open", `document.querySelector('[data-fact="status"] .segment[aria-pressed="true"]').innerText === 'Open'`)
	d.faultless()
	d.askedOnly()
}

package console

import (
	"net/http"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleLineNotSetUp looks at a line of the first start, which neither a phone nor a
// program serves. Trying it out makes it a bridge.
func TestConsoleLineNotSetUp(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	var status struct {
		State, Via string
		Connected  bool
	}
	owner.Must("GET", e2e.WhatsAppPath+"/status", nil, &status)
	if status.State != "not_set_up" || status.Connected || status.Via != "none" {
		t.Errorf("the line of the first start is %+v", status)
	}
	code, answer := owner.Call("POST", e2e.WhatsAppPath+"/chats/79990001122/messages/text", map[string]any{"text": "Anybody?"})
	if code != http.StatusServiceUnavailable || !strings.Contains(string(answer), "ApiUnavailableError") || !strings.Contains(string(answer), "not set up") {
		t.Errorf("a message on it is answered %d %s", code, answer)
	}
	owner.Must("POST", e2e.WhatsAppPath+"/chats", map[string]any{"phone": "4915123456789"}, nil) // there may be a chat, all the same

	d := openConsole(t, p.Base, desktop)
	d.enter()
	d.click("link", "Send")
	d.until("the line as it is", `document.querySelector('.stand[data-state="not_set_up"]').innerText.includes('Not set up')`)
	if green := e2e.Evaluate[int](d.Tab, `document.querySelectorAll('.stand .dot.good').length`); green != 0 {
		t.Error("a line that is not set up is green")
	}
	d.click("link", "…+4915123456789…")
	d.until("a word on it where one writes", `document.querySelector('[data-test="line-down"]').innerText.includes('Nothing can be sent')`)
	d.onAllScreens("not-set-up")
	d.fill("textbox", "Answer +4915123456789", "Anybody?")
	d.click("button", "Send")
	d.until("the refusal", `document.querySelector('.composer [data-test="error"]').innerText.includes('not set up')`)
	d.until("the text to stay", `document.querySelector('[data-test="composer"]').value === 'Anybody?'`)

	d.click("button", "Customer (sandbox)")
	d.fill("textbox", "Write as the customer +4915123456789", "Hello?")
	d.click("button", "Send")
	d.until("a bridge", `document.querySelector('.stand[data-state="bridge"]')`)
	if green := e2e.Evaluate[int](d.Tab, `document.querySelectorAll('.stand .dot.good').length`); green != 0 {
		t.Error("the console calls a program fine that it cannot see")
	}
	d.click("button", "Operator")
	d.until("the text of before", `document.querySelector('[data-test="composer"]').value === 'Anybody?'`)
	d.click("button", "Send")
	d.until("the answer", `document.querySelector('[role="log"]').innerText.includes('Anybody?')`)
	d.onAllScreens("bridge")
	d.faultless("503")
	d.askedOnly()
}

package console

import (
	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

// changesTheSettings changes every setting of the line, and checks that the password of its
// proxy is not on the page any more once it is saved.
func (s *pairing) changesTheSettings() {
	s.click("button", "Settings of this line")
	s.until("the settings", `!document.querySelector('dialog [role="switch"]').checked`)
	s.click("switch", "Reject calls")
	s.fill("textbox", "Answer to the caller", "Please write to us.")
	s.choose("Show typing before a text", "No")
	s.fill("spinbutton", "Pause between two messages, in seconds", "0")
	s.fill("textbox", "Address", "proxy.example")
	s.click("button", "Save")
	s.untilText("An address such as")
	s.onAllScreens("line-settings-wrong")
	s.fill("textbox", "Address", "socks5://127.0.0.1:9")
	s.fill("textbox", "User", "me")
	s.fill("textbox", "Password", "hidden-word")
	s.click("button", "Save")
	s.untilText("Saved.")
	s.onAllScreens("line-settings")
	var stored struct {
		RejectCalls       bool
		RejectText, Proxy string
		Typing            *bool
		SendDelay         *int
	}
	s.owner.Must("GET", e2e.WhatsAppPath+"/settings", nil, &stored)
	if stored.Typing == nil || *stored.Typing || stored.SendDelay == nil || *stored.SendDelay != 0 || !stored.RejectCalls || stored.RejectText != "Please write to us." || stored.Proxy != "socks5://me:***@127.0.0.1:9" {
		s.T.Errorf("the settings are %+v", stored)
	}
	if e2e.Evaluate[bool](s.Tab, `[...document.querySelectorAll('input')].some((i) => i.value.includes('hidden-word')) || document.documentElement.outerHTML.includes('hidden-word')`) {
		s.T.Error("the password is on the page")
	}
	s.fill("textbox", "User", "you")
	s.click("button", "Save")
	s.untilText("Type the password again")
	s.fill("textbox", "Address", "")
	s.click("switch", "Reject calls")
	s.click("button", "Save")
	s.untilText("Saved.")
	s.press(kb.Escape)
	s.stands("connected")
}

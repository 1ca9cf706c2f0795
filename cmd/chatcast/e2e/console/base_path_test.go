package console

import (
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestConsoleUnderAPath uses the console under a base path: directly, and behind proxies
// that serve nothing but that path. It loads, calls the API, gets events, and runs a
// snippet, which loads a library and opens a socket.
func TestConsoleUnderAPath(t *testing.T) {
	const path = "/sites/chat"
	cfg := e2e.Config(t)
	cfg.Server.BasePath = path
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	bases := map[string]string{"directly": p.Base, "taken": e2e.Prefixed(t, p.Address(), path, true)}
	for name, base := range e2e.Nginx(t, p.Address(), path) {
		bases[name] = base
	}
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			d := openConsole(t, base, desktop)
			d.enter()
			d.live()
			anna.writes(owner, strings.NewReplacer(" ", "", ",", "").Replace(name), "Hello, "+name)
			d.untilText("Hello, " + name)
			d.click("link", "Connect")
			d.until("the snippet", `document.querySelector('[role="tabpanel"] pre').innerText.includes("wsPath: '`+path+`'")`)
			opened := d.opens(func() { d.click("button", "Try it") })
			opened.front()
			opened.until("the subscription", `document.querySelector('[role="log"]').innerText.includes('subscribed')`)
			opened.faultless()
			d.faultless()
			d.askedOnly()
		})
	}
}

package browser

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// pageBlocks returns the code blocks of one language of a page of the project, in order.
func pageBlocks(t *testing.T, page, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../../../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// changed returns a text with each change made. It fails if there is nothing to change.
func changed(t *testing.T, text string, changes [][2]string) string {
	t.Helper()
	for _, change := range changes {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("there is no %q in\n%s", change[0], text)
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	return text
}

// TestReadme follows README.md: its page, opened in a browser, receives what its curl
// command sends. Only the address, the token and the origin of pusher-js differ.
func TestReadme(t *testing.T) {
	pages, commands := pageBlocks(t, "README.md", "html"), pageBlocks(t, "README.md", "sh")
	if len(pages) != 1 || len(commands) != 2 || !strings.Contains(commands[0], "bin/chatcast token") {
		t.Fatalf("README.md has %d pages and these commands: %q", len(pages), commands)
	}
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, port, _ := strings.Cut(p.Address(), ":")

	tab := e2e.OpenHTML(t, changed(t, pages[0], [][2]string{
		{"https://js.pusher.com/7.0/pusher.min.js", "/lib/pusher-js-7/dist/web/pusher.min.js"},
		{"wsPort: 6001", "wsPort: " + port}, {"127.0.0.1:6001", p.Address()}, {"YOUR_ACCESS_TOKEN", owner.Token},
	}), nil)
	tab.Subscribed(1)

	script := "TOKEN=" + owner.Token + "\n" + strings.ReplaceAll(commands[1], "127.0.0.1:6001", p.Address())
	if out, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput(); err != nil || !strings.Contains(string(out), `"success":true`) {
		t.Fatalf("README.md's curl: %v %s", err, out)
	}
	tab.Wait("the message", func(logged []json.RawMessage, _ []string) bool {
		return len(logged) == 1 && strings.Contains(string(logged[0]), `"Hello!"`) && strings.Contains(string(logged[0]), `"Ann"`)
	})
}

package browser

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// readmeBlocks returns README.md's code blocks of one language, in order.
func readmeBlocks(t *testing.T, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// TestReadme follows README.md: its page, opened in a browser, receives what its curl
// command sends. Only the address, the token and the origin of pusher-js differ.
func TestReadme(t *testing.T) {
	pages, commands := readmeBlocks(t, "html"), readmeBlocks(t, "sh")
	if len(pages) != 1 || len(commands) != 2 || !strings.Contains(commands[0], "bin/chatcast token") {
		t.Fatalf("README.md has %d pages and these commands: %q", len(pages), commands)
	}
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	_, port, _ := strings.Cut(p.Address(), ":")

	page := pages[0]
	for _, change := range [][2]string{
		{"https://js.pusher.com/7.0/pusher.min.js", "/lib/pusher-js-7/dist/web/pusher.min.js"},
		{"wsPort: 6001", "wsPort: " + port}, {"127.0.0.1:6001", p.Address()}, {"YOUR_ACCESS_TOKEN", owner.Token},
	} {
		if !strings.Contains(page, change[0]) {
			t.Fatalf("README.md's page has no %q", change[0])
		}
		page = strings.ReplaceAll(page, change[0], change[1])
	}
	mux := http.NewServeMux()
	mux.Handle("/lib/", http.StripPrefix("/lib/", http.FileServer(http.Dir("../testdata/browser/node_modules"))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	})
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	tab := e2e.OpenTab(t, site.URL+"/")
	tab.Subscribed(1)

	script := "TOKEN=" + owner.Token + "\n" + strings.ReplaceAll(commands[1], "127.0.0.1:6001", p.Address())
	if out, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput(); err != nil || !strings.Contains(string(out), `"success":true`) {
		t.Fatalf("README.md's curl: %v %s", err, out)
	}
	tab.Wait("the message", func(logged []json.RawMessage, _ []string) bool {
		return len(logged) == 1 && strings.Contains(string(logged[0]), `"Hello!"`) && strings.Contains(string(logged[0]), `"Ann"`)
	})
}

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestResume kills the server while pages of every kind are open: those of docs/resume.md,
// and pages with @chatcast/events. 500 events happen while they are away, some before the
// kill and some after the server was started again. The connection is cut once more while
// they get them, except that of pusher-js 7, which gives up WebSockets then. Each page gets
// each event once, in order.
func TestResume(t *testing.T) {
	const before, killed, all = 20, 200, 520
	binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
	proc := e2e.StartProcess(t, binary, cfg)
	owner := (&e2e.Running{Base: proc.Base}).SignIn(t)
	address := strings.TrimPrefix(proc.Base, "http://")
	cutOnce, cutTwice := e2e.LayCable(t, address), e2e.LayCable(t, address)
	pages := resumePages(t, owner.Token, cutTwice.Address(), cutOnce.Address())
	for _, page := range pages {
		page.Subscribed(1)
	}

	manyWrite(owner, 0, before)
	awaitTexts(pages, before)
	cutOnce.Pull()
	cutTwice.Pull()
	manyWrite(owner, before, killed)
	if err := proc.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = proc.Cmd.Wait() // it was killed
	proc = e2e.StartProcess(t, binary, cfg)
	owner.Base = proc.Base
	manyWrite(owner, killed, all)
	address = strings.TrimPrefix(proc.Base, "http://")
	cutOnce.Plug(address)
	cutTwice.Plug(address)
	awaitTexts(pages, before+1)
	cutTwice.Pull() // most often in the midst of what they missed
	cutTwice.Mend()
	awaitTexts(pages, all)
	manyWrite(owner, all, all+1)
	awaitTexts(pages, all+1)

	wantTexts(t, pages, all+1)
}

// TestResumeOnAnotherNode kills the node that the pages of docs/resume.md are connected to.
// 520 events happen on the other node of the cluster, most of them while the pages are away,
// and the pages come back there. Each page gets each event once, in order.
func TestResumeOnAnotherNode(t *testing.T) {
	const before, killed, all = 20, 320, 520
	binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
	cfg.Database.URL, cfg.Bus.URL = testdb.EmptyPostgresURL(t), config.BusPostgres
	node := e2e.StartProcess(t, binary, cfg)
	other := e2e.StartProcess(t, binary, cfg)
	owner := (&e2e.Running{Base: other.Base}).SignIn(t)
	cable := e2e.LayCable(t, strings.TrimPrefix(node.Base, "http://"))
	pages := documentedPages(t, owner.Token, cable.Address(), cable.Address())
	for _, page := range pages {
		page.Subscribed(1)
	}
	manyWrite(owner, 0, before)
	awaitTexts(pages, before)
	if err := node.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = node.Cmd.Wait() // it was killed
	manyWrite(owner, before, killed)
	cable.Plug(strings.TrimPrefix(other.Base, "http://"))
	manyWrite(owner, killed, all)
	awaitTexts(pages, all)
	wantTexts(t, pages, all)
}

// awaitTexts waits until each page has logged n messages.
func awaitTexts(pages map[string]*e2e.Tab, n int) {
	for name, page := range pages {
		page.Wait(fmt.Sprintf("%d messages with %s", n, name), func(logged []json.RawMessage, _ []string) bool { return len(logged) >= n })
	}
}

// wantTexts checks that each page has logged the first n texts of manyWrite and nothing else.
func wantTexts(t *testing.T, pages map[string]*e2e.Tab, n int) {
	t.Helper()
	want := make([]string, n)
	for i := range want {
		want[i] = `["message","` + textOf(i) + `"]`
	}
	for name, page := range pages {
		var got []string
		for _, entry := range page.Logs() {
			got = append(got, string(entry))
		}
		if !slices.Equal(got, want) {
			t.Errorf("with %s the page logged %d lines, want %d messages, each once and in order:\n%s", name, len(got), len(want), strings.Join(got, "\n"))
		}
	}
}

func textOf(i int) string { return fmt.Sprintf("text %d", i) }

// manyWrite posts the texts of a customer from one number up to another.
func manyWrite(c *e2e.Client, from, to int) {
	c.T.Helper()
	for part := range slices.Chunk(make([]struct{}, to-from), 50) {
		var messages []any
		for range part {
			messages = append(messages, e2e.Inbound(fmt.Sprintf("resume-%d", from), "79990001122", textOf(from))["messages"].([]any)...)
			from++
		}
		c.Must("POST", e2e.WhatsAppPath+"/inbound", map[string]any{"messages": messages}, nil)
	}
}

// newClient matches the client of docs/resume.md's page.
var newClient = regexp.MustCompile(`(?s)const pusher = new Pusher\(.*?\n\}\);\n`)

// resumePages opens the pages, by what they use. They find the server at address, those of
// pusher-js 7 at seven.
func resumePages(t *testing.T, token, address, seven string) map[string]*e2e.Tab {
	t.Helper()
	pages := documentedPages(t, token, address, seven)
	events := map[string]http.Handler{"/events/": http.StripPrefix("/events/", http.FileServer(http.Dir(buildEvents(t))))}
	for name, values := range map[string]map[string]any{
		"Resume and pusher-js 8":    {"Library": "pusher-js"},
		"Resume and pusher-js 7":    {"Library": "pusher-js-7"},
		"Resume and Laravel Echo 2": {"Library": "pusher-js", "Echo": true},
	} {
		values["Host"], values["Port"], _ = strings.Cut(map[string]string{"pusher-js": address, "pusher-js-7": seven}[values["Library"].(string)], ":")
		values["Token"] = token
		pages[name] = e2e.OpenPageBeside(t, "resume.html", values, events)
	}
	return pages
}

// documentedPages opens the pages of docs/resume.md, as resumePages does.
func documentedPages(t *testing.T, token, address, seven string) map[string]*e2e.Tab {
	t.Helper()
	documented, clients := pageBlocks(t, "docs/resume.md", "html"), pageBlocks(t, "docs/resume.md", "js")
	if len(documented) != 1 || len(clients) != 2 || !newClient.MatchString(documented[0]) {
		t.Fatalf("docs/resume.md has %d pages and %d clients", len(documented), len(clients))
	}
	ours := func(page, library, address string) string {
		_, port, _ := strings.Cut(address, ":")
		return changed(t, page, [][2]string{
			{"https://js.pusher.com/8.4.0/pusher.min.js", "/lib/" + library + "/dist/web/pusher.min.js"},
			{"wsPort: 6001", "wsPort: " + port}, {"127.0.0.1:6001", address}, {"YOUR_ACCESS_TOKEN", token},
		})
	}
	with := func(client string) string { return newClient.ReplaceAllLiteralString(documented[0], client) }
	echo := changed(t, with(clients[1]), [][2]string{
		{"<script>\n", "<script type=\"module\">\nimport Echo from '/lib/laravel-echo/dist/echo.js';\nwindow.Pusher = Pusher;\n"},
	})
	return map[string]*e2e.Tab{
		"pusher-js 8":    e2e.OpenHTML(t, ours(documented[0], "pusher-js", address), nil),
		"pusher-js 7":    e2e.OpenHTML(t, ours(with(clients[0]), "pusher-js-7", seven), nil),
		"Laravel Echo 2": e2e.OpenHTML(t, ours(echo, "pusher-js", address), nil),
	}
}

// buildEvents builds @chatcast/events and returns the folder.
func buildEvents(t *testing.T) string {
	t.Helper()
	built := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "node_modules/.bin/tsc", "-p", "tsconfig.build.json", "--outDir", built)
	cmd.Dir = "../../../../server/console/clients/js"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tsc (make setup gets it): %v\n%s", err, out)
	}
	return built
}

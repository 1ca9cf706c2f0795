package program_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// generators is a module with the generators of clients, and a program for each client.
const generators = "../testdata/generators"

// TestGeneratorsMakeClients makes Go clients of the document that the running program
// serves, as docs/crm-api.md tells users to. The clients compile, sign in, list the chats
// and send a text.
func TestGeneratorsMakeClients(t *testing.T) {
	dir := workshop(t)
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("M1", "79990001122", "Hello"), nil)
	_, document := e2e.Get(t, p.Base+"/openapi-3.0.json")
	commands := documentedCommands(t, dir)
	for _, name := range []string{"oapi", "ogen"} {
		at := filepath.Join(dir, name)
		if err := os.Mkdir(filepath.Join(at, "chatcast"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(at, "chatcast"), "openapi.json", document)
		goTool(t, at, commands[name]...)
	}
	// The paths of the folder are left out, so that the build cache knows the clients again.
	goTool(t, dir, "build", "-trimpath", "-o", "bin/", "./...")
	for _, name := range []string{"oapi", "ogen"} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "bin", name), p.Base, e2e.OwnerEmail, e2e.OwnerPassword, "Good day from "+name)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("the client of %s: %v\n%s", name, err, out)
		}
		for _, want := range []string{"out: Good day from " + name + "\n", "in: Hello\n", "ApiInvalidTokenError\n"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the client of %s does not print %q:\n%s", name, want, out)
			}
		}
	}
}

// workshop returns a copy of the generators' module, with all its modules at hand. It
// leaves the test out where they cannot be had, and fails it in CI.
func workshop(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(generators)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the generators of clients cannot be had: %v\n%s", err, out)
		}
		t.Skipf("the generators of clients cannot be had (is there a network?): %v\n%s", err, out)
	}
	return dir
}

var goRun = regexp.MustCompile(`(?m)^go run (\S+)@(\S+) (.*)$`)

// documentedCommands returns the arguments of go that run the generators as docs/crm-api.md
// runs them, by the name of the client, at the versions of the module in dir.
func documentedCommands(t *testing.T, dir string) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../../../../docs/crm-api.md")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(filepath.Join(dir, "ogen", "ogen.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), string(settings)) {
		t.Errorf("docs/crm-api.md does not have the settings\n%s", settings)
	}
	versions, commands := goTool(t, dir, "list", "-m", "all"), map[string][]string{}
	for _, m := range goRun.FindAllStringSubmatch(string(page), -1) {
		module, _, _ := strings.Cut(m[1], "/cmd/")
		if !strings.Contains(versions, module+" "+m[2]+"\n") {
			t.Errorf("docs/crm-api.md has %s@%s, the tests another version", module, m[2])
		}
		name := strings.TrimSuffix(path.Base(m[1]), "-codegen")
		commands[name] = slices.Concat([]string{"tool", path.Base(m[1])}, strings.Fields(m[3]))
	}
	if len(commands["oapi"]) == 0 || len(commands["ogen"]) == 0 {
		t.Fatalf("docs/crm-api.md has the commands %v", commands)
	}
	return commands
}

// goTool runs go in dir and returns what it printed.
func goTool(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

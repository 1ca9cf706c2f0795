package browser

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// snippetBlocks returns the code that the console's Connect view shows for this
// program, by the kind of client, with the token filled in.
func snippetBlocks(t *testing.T, p *e2e.Running, token string) map[string][]string {
	t.Helper()
	host, port, err := net.SplitHostPort(p.Address())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := json.Marshal(map[string]any{
		"key": p.Components().Apps.First().Key, "at": map[string]any{"host": host, "port": number, "tls": false, "path": "", "url": p.Base},
		"channel": "private-v1.licenses.1229.messengers.grWhatsApp", "events": []string{"message"}, "email": e2e.OwnerEmail,
		"line": map[string]any{"licenseId": 1229, "type": "grWhatsApp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "test/snippets.mjs", string(facts))
	node.Dir = "../../../../server/console/web"
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node test/snippets.mjs (make setup gets its packages): %v %s", err, said(err))
	}
	var made map[string]struct{ Blocks []struct{ Code string } }
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	blocks := map[string][]string{}
	for kind, s := range made {
		for _, b := range s.Blocks {
			blocks[kind] = append(blocks[kind], strings.ReplaceAll(b.Code, "YOUR_ACCESS_TOKEN", token))
		}
	}
	return blocks
}

// said returns what a failed program printed on standard error.
func said(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr)
	}
	return ""
}

// listener starts a program that prints events as they come, and waits until it prints
// ready on standard error. The lines of its standard output come on the channel.
func listener(t *testing.T, ready, name string, args ...string) <-chan string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a shell's curl ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait() // killed
	})
	var trace strings.Builder
	for s := bufio.NewScanner(stderr); s.Scan(); {
		if strings.Contains(s.Text(), ready) {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return lines
		}
		trace.WriteString(s.Text() + "\n")
	}
	t.Fatalf("%s ended before it listened:\n%s", name, &trace)
	return nil
}

// built compiles a file of a snippet within this module, which has its imports.
func built(t *testing.T, dir, name, code string) string {
	t.Helper()
	file, program := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
		t.Fatalf("go vet %s.go: %v\n%s", name, err, out)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, file)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s.go: %v\n%s", name, err, out)
	}
	return program
}

// TestSnippetsOfConnect runs the console's snippets for curl and Go unchanged.
func TestSnippetsOfConnect(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	blocks := snippetBlocks(t, p, owner.Token)
	curl, golang := blocks["curl"], blocks["go"]
	if len(curl) != 4 || len(golang) != 2 {
		t.Fatalf("%d blocks for curl, %d for Go", len(curl), len(golang))
	}
	token, read, write, answer := curl[0], curl[1], curl[2], curl[3]
	dir := t.TempDir()

	heard := map[string]<-chan string{
		"Go":   listener(t, "listening to", built(t, dir, "main", golang[0])),
		"curl": listener(t, "wait=60", "sh", "-xc", token+read), // -x shows when it asks for the next events
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-ec", token+write+answer).CombinedOutput(); err != nil || strings.Count(string(out), `"success":true`) != 2 {
		t.Fatalf("writing and answering: %v\n%s", err, out)
	}
	for name, lines := range heard {
		var all strings.Builder
		for !strings.Contains(all.String(), "Is my order ready?") || !strings.Contains(all.String(), "It is on its way.") {
			line, more := <-lines
			if !more {
				t.Fatalf("%s ended, and printed\n%s", name, &all)
			}
			all.WriteString(line + "\n")
		}
	}
	publishWithGo(t, p, built(t, dir, "publish", golang[1]))
	p.Stop() // ends the long polls; a listener that is killed first gets no answer
}

// publishWithGo runs the publishing snippet, with the secret and without.
func publishWithGo(t *testing.T, p *e2e.Running, program string) {
	t.Helper()
	socket := e2e.OnOrders(t, p)
	for secret, allowed := range map[string]bool{"not the secret": false, p.Components().Apps.First().Secret: true} {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(e2e.Environ(), "CHATCAST_SECRET="+secret)
		if out, err := cmd.CombinedOutput(); (err == nil) != allowed {
			t.Errorf("publishing, allowed %t: %v %s", allowed, err, out)
		}
	}
	socket.Shipped()
}

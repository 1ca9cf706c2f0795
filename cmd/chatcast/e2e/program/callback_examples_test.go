package program_test

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// callbackExample is a receiver of docs/callback-urls.md that runs.
type callbackExample struct {
	port  string
	lines <-chan string // what it prints
	stop  func()
}

var listensOn = regexp.MustCompile(`(?:listening on |http://127\.0\.0\.1:)(\d+)`)

// startExample starts a receiver on a port, 0: any, and waits until it listens.
func startExample(t *testing.T, command []string, port, secret string) callbackExample {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for i := range command {
		command[i] = strings.ReplaceAll(command[i], "PORT", port)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(e2e.Environ(), "PORT="+port, "SECRET="+secret)
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines, ended := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
	}()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		<-ended
		r.Close()
	}
	t.Cleanup(stop)
	for line := range lines {
		if m := listensOn.FindStringSubmatch(line); m != nil {
			return callbackExample{m[1], lines, stop}
		}
		t.Log(line)
	}
	t.Fatalf("%v does not listen", command)
	return callbackExample{}
}

// TestCallbackExamples runs the receivers of docs/callback-urls.md as they stand there: each
// is accepted as a callback URL, takes an event that is signed, and refuses one that is not.
func TestCallbackExamples(t *testing.T) {
	page := read(t, "callback-urls.md")
	cfg := e2e.Config(t)
	cfg.Webhooks.AllowPrivateTargets = true
	p := e2e.Start(t, cfg)
	c := p.SignIn(t)
	for name, receiver := range map[string]struct {
		language, file string
		command        []string
	}{
		"Node": {"js", "hook.mjs", []string{"node"}},
		"PHP":  {"php", "hook.php", []string{"php", "-S", "127.0.0.1:PORT"}},
	} {
		t.Run(name, func(t *testing.T) {
			program := installed(t, receiver.command[0])
			_, code, _ := strings.Cut(page, "```"+receiver.language+"\n")
			code, _, ended := strings.Cut(code, "```\n")
			if !ended {
				t.Fatal("docs/callback-urls.md does not have it")
			}
			file := filepath.Join(t.TempDir(), receiver.file)
			if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(port, secret string) callbackExample {
				t.Helper()
				return startExample(t, slices.Concat([]string{program}, receiver.command[1:], []string{file}), port, secret)
			}
			first := run("0", "")
			var made struct{ Secret string }
			c.Must(http.MethodPut, e2e.TelegramPath+"/callbackUrl", map[string]any{"url": "http://127.0.0.1:" + first.port, "events": []string{"message"}}, &made)
			first.stop()
			c.Must(http.MethodPost, e2e.TelegramPath+"/inbound", e2e.Inbound(name, "chat-"+name, "Hi "+name), nil)

			second := run(first.port, made.Secret)
			got := ""
			for line := range second.lines {
				if got = line; strings.Contains(line, " message ") {
					break
				}
			}
			if !strings.Contains(got, "Hi "+name) {
				t.Errorf("it prints %q", got)
			}
			forged, err := http.Post("http://127.0.0.1:"+second.port, "application/json", strings.NewReader(`{"data":[],"meta":{"type":"message","eventId":1}}`))
			if err != nil {
				t.Fatal(err)
			}
			forged.Body.Close()
			if forged.StatusCode != http.StatusUnauthorized {
				t.Errorf("a forged event gets %d", forged.StatusCode)
			}
			c.Must(http.MethodDelete, e2e.TelegramPath+"/callbackUrl", nil, nil)
		})
	}
}

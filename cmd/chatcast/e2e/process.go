package e2e

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/config"
)

// BuildBinary builds the program as a user has it.
func BuildBinary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chatcast")
	if out, err := exec.Command("go", "build", "-o", path, "chatcast/cmd/chatcast").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// Environ is the environment without settings of the program: what this shell or the
// tests have set must not reach it.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(line string) bool { return strings.HasPrefix(line, config.EnvPrefix) })
}

// Process is the real program in a process of its own.
type Process struct {
	Cmd  *exec.Cmd
	Base string
	Errs *bytes.Buffer
}

// StartProcess starts the program with a configuration of the tests.
func StartProcess(t *testing.T, binary string, cfg config.Config) *Process {
	t.Helper()
	return Launch(t, binary, "", []string{"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + OwnerPassword},
		"--server.address=127.0.0.1:0", "--server.internal_address=", "--server.drain_time=0s",
		"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir,
		"--whatsapp.endpoint="+cfg.WhatsApp.Endpoint, "--whatsapp.root_key="+cfg.WhatsApp.RootKey)
}

// Launch starts the program in a folder, the test's own if empty, and returns when
// it prints where it is up.
func Launch(t testing.TB, binary, dir string, environ []string, flags ...string) *Process {
	t.Helper()
	p := &Process{Errs: new(bytes.Buffer)}
	p.Cmd = exec.Command(binary, append([]string{"serve"}, flags...)...)
	p.Cmd.Dir, p.Cmd.Env = dir, append(Environ(), environ...)
	p.Cmd.Stderr = p.Errs
	out, err := p.Cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Cmd.Process.Kill() // most often it has ended
		_ = p.Cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "is up: "); ok {
			p.Base = strings.TrimSuffix(url, "/")
			return p
		}
	}
	t.Fatalf("the program did not come up: %s", p.Errs)
	return nil
}

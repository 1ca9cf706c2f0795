package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
)

// Environ returns the environment without the program's settings, so that those of
// the shell or the tests do not reach it.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(line string) bool { return strings.HasPrefix(line, config.EnvPrefix) })
}

// Process is the built program in a process of its own.
type Process struct {
	Cmd  *exec.Cmd
	Base string
	Errs *testwait.Output

	out io.Reader
}

// StartProcess starts the program with a configuration of the tests.
func StartProcess(t *testing.T, binary string, cfg config.Config) *Process {
	t.Helper()
	return Launch(t, binary, "", []string{"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + OwnerPassword},
		"--server.address=127.0.0.1:0", "--server.internal_address=", "--server.drain_time=0s",
		"--database.url="+cfg.Database.URL, "--bus.url="+cfg.Bus.URL, "--files.dir="+cfg.Files.Dir,
		"--whatsapp.endpoint="+cfg.WhatsApp.Endpoint, "--whatsapp.root_key="+cfg.WhatsApp.RootKey)
}

// Launch starts the program in dir, or in the test's working directory if dir is empty,
// and returns when the program prints its address.
func Launch(t testing.TB, binary, dir string, environ []string, flags ...string) *Process {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve"}, flags...)...)
	cmd.Dir, cmd.Env = dir, append(Environ(), environ...)
	return LaunchCommand(t, cmd)
}

// LaunchPiped starts the program with a configuration on standard input.
func LaunchPiped(t testing.TB, binary, configuration string) *Process {
	t.Helper()
	cmd := exec.Command(binary, "serve", "--config", "/dev/stdin")
	cmd.Env, cmd.Stdin = Environ(), strings.NewReader(configuration)
	return LaunchCommand(t, cmd)
}

// LaunchCommand starts a command that runs the program, and returns when the program
// prints its address.
func LaunchCommand(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := Begin(t, cmd)
	p.Up(t)
	return p
}

// Begin starts a command that runs the program. Up waits for the program.
func Begin(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, Errs: new(testwait.Output)}
	p.Cmd.Stderr = p.Errs
	var err error
	if p.out, err = p.Cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Cmd.Process.Kill() // most often it has ended
		_ = p.Cmd.Wait()
	})
	return p
}

// Up returns when the program prints its address.
func (p *Process) Up(t testing.TB) {
	t.Helper()
	for lines := bufio.NewScanner(p.out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "is up: "); ok {
			p.Base = strings.TrimSuffix(url, "/")
			return
		}
	}
	t.Fatalf("the program did not come up: %s", p.Errs)
}

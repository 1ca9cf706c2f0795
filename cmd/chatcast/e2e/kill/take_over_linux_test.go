package kill

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestTakeOver starts the next program before the one that serves stops, on one port. The
// next one waits. Then pages of pusher-js come back at once, all of them find somebody, and
// no connection is refused at any time.
func TestTakeOver(t *testing.T) {
	binary := e2e.BuildBinary(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		hooks := watchMembers(t)
		config, address := restartConfig(t, url, hooks), sharedAddress(t)
		start := func() *e2e.Process {
			cmd := exec.Command(binary, "serve", "--config", config, "--server.reuse_port=true", "--server.address="+address)
			cmd.Env = e2e.Environ()
			return e2e.Begin(t, cmd)
		}
		first := start()
		first.Up(t)
		pages := openPages(t, first.Base)
		pages.joined(t, 1)
		hooks.await(t, restartPages)

		second := start()
		second.Errs.Await(t, "takes over when it stops")
		refused := countRefused(t, address)
		told := time.Now()
		if err := first.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := first.Cmd.Wait(); err != nil {
			t.Fatalf("the program ended with %v: %s", err, first.Errs)
		}
		ended := time.Since(told)
		second.Up(t)
		up := time.Since(told)
		pages.joined(t, 2)
		t.Logf("stopped in %v, up again after %v, all %d pages back %v after SIGTERM",
			ended.Round(time.Millisecond), up.Round(time.Millisecond), restartPages, time.Since(told).Round(time.Millisecond))
		if n := refused(); n > 0 {
			t.Errorf("%d connections were refused", n)
		}
		if log := first.Errs.String(); !strings.Contains(log, "another process listens on the address and takes over") {
			t.Errorf("the first program says\n%s", log)
		}
		hooks.checkNobodyLeft(t, second)
		pages.checkMoved(t)
	})
}

// A program that waits for its turn takes over too when the one before is killed, and ends
// in order when it is stopped itself.
func TestTakeOverFromAKilledProgram(t *testing.T) {
	binary, cfg, address := e2e.BuildBinary(t), e2e.Config(t), sharedAddress(t)
	start := func() *e2e.Process {
		cmd := exec.Command(binary, "serve", "--server.reuse_port=true", "--server.address="+address, "--server.internal_address=",
			"--server.drain_time=0s", "--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir)
		cmd.Env = append(e2e.Environ(), "CHATCAST_BOOTSTRAP_USER_PASSWORD="+e2e.OwnerPassword)
		return e2e.Begin(t, cmd)
	}
	first := start()
	first.Up(t)
	stopped := start()
	stopped.Errs.Await(t, "takes over when it stops")
	if err := stopped.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := stopped.Cmd.Wait(); err != nil {
		t.Errorf("stopped while it waits, a program ended with %v: %s", err, stopped.Errs)
	}
	second := start()
	second.Errs.Await(t, "takes over when it stops")
	third := start()
	var failed *exec.ExitError
	if err := third.Cmd.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(third.Errs.String(), "waits already") {
		t.Errorf("a third program ended with %v: %s", err, third.Errs)
	}
	if err := first.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	second.Up(t)
	e2e.AwaitReady(t, second.Base, http.StatusOK, `"status":"ok"`)
}

// sharedAddress returns an address on which programs with server.reuse_port can listen. Its
// port is held, but not listened on, until the test ends: no other program gets it.
func sharedAddress(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1), unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	if err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
}

// countRefused opens connections to the address, one after the other, until the function
// that it returns is called. That one returns how many were refused.
func countRefused(t *testing.T, address string) (stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	refused := make(chan int, 1)
	go func() {
		n := 0
		for ctx.Err() == nil {
			dial := net.Dialer{Timeout: testwait.Long}
			c, err := dial.DialContext(ctx, "tcp", address)
			if err == nil {
				c.Close()
			} else if errors.Is(err, syscall.ECONNREFUSED) {
				n++
			}
		}
		refused <- n
	}()
	return func() int { cancel(); return <-refused }
}

// checkMoved checks that each page was told to come back at once, and came back at its first
// attempt. Pages without WebSockets may have asked the next program before they were told.
func (p *pages) checkMoved(t *testing.T) {
	t.Helper()
	moved := 0
	for who, list := range p.of("joined") {
		errors := p.of("error")[who]
		if len(errors) > 0 && errors[0].Value == float64(4200) {
			moved++
		}
		if attempts := list[1].Value; attempts != float64(2) {
			t.Errorf("page %d came back after %v attempts, told %v", who, attempts, errors)
		}
		for _, s := range p.of("state")[who] {
			if s.Value == "failed" || s.Value == "disconnected" {
				t.Errorf("page %d is %v", who, s.Value)
			}
		}
	}
	if moved < restartPages*8/10 {
		t.Errorf("%d of %d pages were told 4200", moved, restartPages)
	}
}

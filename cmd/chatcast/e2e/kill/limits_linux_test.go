package kill

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"chatcast/cmd/chatcast/e2e"
)

// limit sets a limit of the running program, and returns the one before.
func limit(t *testing.T, p *e2e.Process, resource int, soft uint64) (before uint64) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Prlimit(p.Cmd.Process.Pid, resource, nil, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(p.Cmd.Process.Pid, resource, &unix.Rlimit{Cur: min(soft, old.Max), Max: old.Max}, nil); err != nil {
		t.Fatal(err)
	}
	return old.Cur
}

// A program that can write no more says so at /readyz, and again when it can.
func TestReadyWhileNothingCanBeWritten(t *testing.T) {
	t.Parallel() // most of its time it waits for the next probe
	p := e2e.StartProcess(t, e2e.BuildBinary(t), e2e.Config(t))
	e2e.AwaitReady(t, p.Base, http.StatusOK, `"status":"ok"`)
	before := limit(t, p, unix.RLIMIT_FSIZE, 0)
	e2e.AwaitReady(t, p.Base, http.StatusServiceUnavailable, `"files":"failed","relay":"ok","writes":"failed"`)
	if status, body := e2e.Get(t, p.Base+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, body)
	}
	limit(t, p, unix.RLIMIT_FSIZE, before)
	e2e.AwaitReady(t, p.Base, http.StatusOK, `"status":"ok"`)
	for _, line := range []string{"this can no longer be written to", "this can be written to again"} {
		if n := strings.Count(p.Errs.String(), line); n != 2 { // the database and the folder
			t.Errorf("%q is %d times in\n%s", line, n, p.Errs)
		}
	}
}

// Without file descriptors the program says what is wrong, now and then, and goes on as
// soon as there are some.
func TestNoDescriptorsLeft(t *testing.T) {
	p := e2e.StartProcess(t, e2e.BuildBinary(t), e2e.Config(t))
	e2e.AwaitReady(t, p.Base, http.StatusOK, `"status":"ok"`)
	http.DefaultClient.CloseIdleConnections()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	limit(t, p, unix.RLIMIT_NOFILE, uint64(len(open)+10))
	var conns []net.Conn
	for range 40 {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.Base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	p.Errs.Await(t, "no file descriptors are left for new connections")
	for _, c := range conns {
		c.Close()
	}
	p.Errs.Await(t, "connections are accepted again")
	if status, body := e2e.Get(t, p.Base+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, body)
	}
	if log := p.Errs.String(); !strings.Contains(log, "LimitNOFILE") || strings.Count(log, "no file descriptors") > 3 {
		t.Errorf("the log says\n%s", log)
	}
}

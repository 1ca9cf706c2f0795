package evolution

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// script is a client in a process of its own: a program of testdata/clients that runs in Node.js, whose
// packages .ci/setup gets, or testdata/goclient.
type script struct {
	t     *testing.T
	in    io.WriteCloser
	lines chan string // closed when it has ended
}

// startScript starts one with the arguments, and the variables of the environment. It ends by itself,
// at the latest when its input ends.
func startScript(t *testing.T, name string, args []string, environ ...string) *script {
	t.Helper()
	return startCommand(t, exec.Command("node", append([]string{"testdata/clients/" + name}, args...)...), environ...)
}

// startCommand starts a program that speaks as scripts do.
func startCommand(t *testing.T, cmd *exec.Cmd, environ ...string) *script {
	t.Helper()
	cmd.Stderr, cmd.Env = os.Stderr, append(os.Environ(), environ...)
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, in: in, lines: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(s.lines)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 8<<20)
		for lines.Scan() {
			s.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		if t.Failed() {
			_ = cmd.Process.Kill()
		}
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", cmd.Args, err)
		}
	})
	return s
}

// say writes a line of JSON to the script.
func (s *script) say(what any) {
	s.t.Helper()
	line, err := json.Marshal(what)
	if err == nil {
		_, err = s.in.Write(append(line, '\n'))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// next returns the next line of the script in the form of into.
func (s *script) next(into any) {
	s.t.Helper()
	select {
	case line, more := <-s.lines:
		if !more {
			s.t.Fatal("the script has ended")
		}
		if err := json.Unmarshal([]byte(line), into); err != nil {
			s.t.Fatalf("the script says %.500s: %v", line, err)
		}
	case <-time.After(testwait.Long):
		s.t.Fatal("the script says nothing")
	}
}

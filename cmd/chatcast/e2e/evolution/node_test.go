package evolution

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// script is a client in a process of its own: a program of testdata/clients that runs in Node.js, whose
// packages .ci/setup gets, or testdata/goclient.
type script struct {
	t *testing.T
	*e2e.Node
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
	cmd.Env = append(os.Environ(), environ...)
	return &script{t, e2e.StartScript(t, cmd)}
}

// say writes a line of JSON to the script.
func (s *script) say(what any) {
	s.t.Helper()
	s.Tell(s.t, what)
}

// next returns the next line of the script in the form of into.
func (s *script) next(into any) {
	s.t.Helper()
	select {
	case line, more := <-s.Lines:
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
